import type { FastifyReply, FastifyRequest } from "fastify";

import { StoreError } from "../../store/ports/store-error.ts";
import type { ControlRoutes } from "../control-api.ts";
import { callbackRoutes } from "./callback.ts";
import { deviceAuthorizationRoutes } from "./device-authorization.ts";
import { CALLBACK_PATH, devicePageRoutes } from "./device-page.ts";
import { metadataRoutes } from "./metadata.ts";
import { sendOAuthError } from "./oauth-error.ts";
import { messagePage, pageHeaders } from "./page.ts";
import { pageText } from "./page-text.ts";
import { revokeRoutes } from "./revoke.ts";
import type { SignInEndpointParts } from "./sign-in-parts.ts";
import { tokenRoutes } from "./token.ts";

const AREAS = [metadataRoutes, deviceAuthorizationRoutes, devicePageRoutes, callbackRoutes, tokenRoutes, revokeRoutes];
const RETRY_SECONDS = 5;

/** Everything of the sign-in of Claude Code and of the page that goes with it. */
export function signInRoutes(parts: SignInEndpointParts): readonly ControlRoutes[] {
  return [
    (app) => {
      void app.register(async (area) => {
        area.setErrorHandler((error, request, reply) => {
          if (!(error instanceof StoreError) || error.kind !== "unavailable") throw error;
          return answerAway(request, reply);
        });
        for (const routes of AREAS) routes(parts)(area);
      });
    },
  ];
}

/** PostgreSQL is away: devices may try again, people are told so on a page. */
function answerAway(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [path] = request.url.split("?");
  if (path !== "/device" && path !== "/device/deny" && path !== CALLBACK_PATH) {
    const description = "Sign-in is not possible at the moment: Weir's database is not available. Try again.";
    return sendOAuthError(reply, "temporarily_unavailable", { description, retryAfterSeconds: RETRY_SECONDS });
  }
  const text = pageText(request.headers["accept-language"]);
  const page = messagePage(text, { title: text.failedTitle, lines: [text.away], isError: true });
  return reply.code(503).headers(pageHeaders([])).header("retry-after", String(RETRY_SECONDS)).send(page);
}
