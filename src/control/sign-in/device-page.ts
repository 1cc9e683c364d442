import type { FastifyReply, FastifyRequest } from "fastify";

import type { PendingGrant } from "../../identity/device/device-grants.ts";
import type { OidcProvider } from "../../identity/oidc/oidc-provider.ts";
import { labelOf } from "../../identity/oidc/provider-settings.ts";
import { SignInRefused } from "../../identity/oidc/sign-in-refused.ts";
import { formToken, isFormToken } from "../../identity/sign-in/browser-state.ts";
import type { SignInSettings } from "../../identity/sign-in/sign-in-settings.ts";
import type { ControlRoutes } from "../control-api.ts";
import { browserCookie, browserOf, newBrowser } from "./browser-cookie.ts";
import { formPage, messagePage, pageHeaders } from "./page.ts";
import { filled, type PageText, pageText } from "./page-text.ts";
import { callerOf, fieldOf, requireSettings, type SignInEndpointParts } from "./sign-in-parts.ts";

/** The path that the provider sends browsers back to; registered there as `<public_url>/oauth/callback`. */
export const CALLBACK_PATH = "/oauth/callback";

/** The page on which people approve devices. */
export function devicePageRoutes(parts: SignInEndpointParts): ControlRoutes {
  return (app) => {
    app.get<{ Querystring: Record<string, unknown> }>("/device", async (request, reply) => {
      const given = fieldOf(request.query, "user_code") ?? "";
      return await showForm(parts, request, reply, { code: given.slice(0, 20), error: null });
    });
    app.post("/device", async (request, reply) => await decide(parts, request, reply, approve));
    app.post("/device/deny", async (request, reply) => await decide(parts, request, reply, deny));
  };
}

interface Decision {
  readonly grant: PendingGrant;
  readonly browser: string;
  readonly settings: SignInSettings;
  readonly text: PageText;
}

type Decide = (
  parts: SignInEndpointParts,
  request: FastifyRequest,
  reply: FastifyReply,
  decision: Decision,
) => Promise<FastifyReply>;

/** Checks that the form is Weir's own, that nobody guesses, and that the code waits. */
async function decide(
  parts: SignInEndpointParts,
  request: FastifyRequest,
  reply: FastifyReply,
  then: Decide,
): Promise<FastifyReply> {
  const settings = requireSettings(parts);
  const text = pageText(request.headers["accept-language"]);
  const origin = parts.origin();
  const browser = browserOf(request.raw, origin);
  const token = fieldOf(request.body, "form_token");
  if (
    !isSameOrigin(request, origin) ||
    browser === null ||
    token === null ||
    !isFormToken(settings.formBox, token, browser)
  ) {
    return await showForm(parts, request, reply, { code: "", error: text.otherSite, status: 403 });
  }
  if (!(await parts.limits.allows("device_verify", request.call.clientAddress))) {
    const seconds = parts.limits.retryAfterSeconds("device_verify");
    const error = filled(text.tooMany, { minutes: String(Math.ceil(seconds / 60)) });
    reply.header("retry-after", String(seconds));
    return await showForm(parts, request, reply, { code: "", error, status: 429 });
  }
  const typed = fieldOf(request.body, "user_code") ?? "";
  const grant = await parts.signIn.pending(typed);
  if (grant === null) {
    return await showForm(parts, request, reply, { code: typed.slice(0, 20), error: text.unknownCode, status: 400 });
  }
  return await then(parts, request, reply, { grant, browser, settings, text });
}

async function approve(
  parts: SignInEndpointParts,
  request: FastifyRequest,
  reply: FastifyReply,
  { grant, browser, settings, text }: Decision,
): Promise<FastifyReply> {
  const chosen = fieldOf(request.body, "provider");
  const provider = settings.providers.find((row) => row.settings.name === chosen) ?? settings.providers[0];
  if (provider === undefined) throw new Error("sign-in without a provider");
  const redirectUri = `${parts.origin()}${CALLBACK_PATH}`;
  try {
    const url = await parts.signIn.authorizationUrl(provider, grant, { browser, redirectUri, settings });
    // 303: the browser goes there with GET.
    return await reply
      .headers(await headersFor([provider]))
      .code(303)
      .header("location", url.href)
      .send();
  } catch (error) {
    if (!(error instanceof SignInRefused)) throw error;
    return await showForm(parts, request, reply, { code: grant.userCode, error: text.unavailable, status: 503 });
  }
}

async function deny(
  parts: SignInEndpointParts,
  request: FastifyRequest,
  reply: FastifyReply,
  { grant, text }: Decision,
): Promise<FastifyReply> {
  const denied = await parts.signIn.deny(grant, callerOf(request, parts.origin()));
  const code = grant.userCode;
  const page = denied
    ? { title: text.deniedTitle, lines: [filled(text.denied, { code })], code, isError: false }
    : { title: text.failedTitle, lines: [text.decided], isError: true };
  return await reply.headers(pageHeaders([])).send(messagePage(text, page));
}

async function showForm(
  parts: SignInEndpointParts,
  request: FastifyRequest,
  reply: FastifyReply,
  { code, error, status = 200 }: { code: string; error: string | null; status?: number },
): Promise<FastifyReply> {
  const settings = requireSettings(parts);
  const origin = parts.origin();
  const browser = browserOf(request.raw, origin) ?? newBrowser();
  const providers = settings.providers.map((row) => ({ name: row.settings.name, label: labelOf(row.settings) }));
  const page = formPage(pageText(request.headers["accept-language"]), {
    code,
    formToken: formToken(settings.formBox, browser),
    providers,
    error,
    notice: settings.loginNotice,
  });
  return await reply
    .code(status)
    .headers(await headersFor(settings.providers))
    .header("set-cookie", browserCookie(browser, origin))
    .send(page);
}

/** The form may lead to the providers; one that cannot be reached is left out, and says so when it is chosen. */
async function headersFor(providers: readonly OidcProvider[]): Promise<Record<string, string>> {
  const origins = await Promise.all(providers.map((provider) => provider.formOrigins().catch(() => [])));
  return pageHeaders(origins.flat());
}

/** Whether a form was sent from Weir's own page. Browsers say so in headers that no script can set. */
function isSameOrigin(request: FastifyRequest, expected: string): boolean {
  const site = request.headers["sec-fetch-site"];
  const { origin } = request.headers;
  if (site === undefined) return origin === expected;
  return site === "same-origin" && (origin === undefined || origin === expected);
}
