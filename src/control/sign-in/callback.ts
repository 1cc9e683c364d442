import type { BrowserOutcome } from "../../identity/sign-in/sign-in.ts";
import type { ControlRoutes } from "../control-api.ts";
import { removedCookie } from "./browser-cookie.ts";
import { CALLBACK_PATH } from "./device-page.ts";
import { messagePage, pageHeaders } from "./page.ts";
import { filled, type PageText, pageText } from "./page-text.ts";
import { callerOf, requireSettings, type SignInEndpointParts } from "./sign-in-parts.ts";

/** Which text says how a sign-in ended that Weir did not take up. */
const MESSAGES = { expired: "expired", other_browser: "otherBrowser", decided: "decided" } as const;
const MAX_ERROR_CHARS = 300;

/** Where the provider sends the browser back to. */
export function callbackRoutes(parts: SignInEndpointParts): ControlRoutes {
  return (app) => {
    app.get(CALLBACK_PATH, async (request, reply) => {
      const settings = requireSettings(parts);
      const origin = parts.origin();
      const text = pageText(request.headers["accept-language"]);
      // Never from the Host header: the provider compares it with what it was given.
      const url = new URL(request.url.replace(/^[^?]*/, CALLBACK_PATH), origin);
      const outcome = await parts.signIn.finish(url, callerOf(request, origin), settings);
      const status = outcome.state === "approved" ? 200 : outcome.state === "refused" ? 403 : 400;
      return await reply
        .code(status)
        .headers(pageHeaders([]))
        .header("set-cookie", removedCookie(origin))
        .send(pageOf(text, outcome, url));
    });
  };
}

function pageOf(text: PageText, outcome: BrowserOutcome, url: URL): string {
  if (outcome.state === "approved") {
    const { userCode: code, email, name } = outcome;
    const who = email ?? name;
    const as = who === null ? [] : [filled(text.approvedAs, { who })];
    const lines = [filled(text.approvedCode, { code }), ...as, text.approvedClose];
    return messagePage(text, { title: text.approvedTitle, lines, code, isError: false });
  }
  return messagePage(text, { title: text.failedTitle, lines: [reasonOf(text, outcome, url)], isError: true });
}

function reasonOf(text: PageText, outcome: Exclude<BrowserOutcome, { state: "approved" }>, url: URL): string {
  if (outcome.state !== "refused") return text[MESSAGES[outcome.state]];
  const error = url.searchParams.get("error");
  if (error !== null) {
    const told = [error, url.searchParams.get("error_description")].filter((part) => part !== null).join(": ");
    return filled(text.idpError, { error: told.slice(0, MAX_ERROR_CHARS) });
  }
  if (outcome.refusal.reason === "idp_unavailable") return text.unavailable;
  return filled(text.refused, { reason: outcome.refusal.message });
}
