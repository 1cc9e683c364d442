import type { ControlRoutes } from "../control-api.ts";
import { NO_STORE, sendOAuthError } from "./oauth-error.ts";
import { callerOf, fieldOf, requireSettings, type SignInEndpointParts } from "./sign-in-parts.ts";

/** Ends the session of a token (RFC 7009): whoever holds one of its tokens may. Unknown tokens are answered with 200 too. */
export function revokeRoutes(parts: SignInEndpointParts): ControlRoutes {
  return (app) => {
    app.post("/oauth/revoke", async (request, reply) => {
      const settings = requireSettings(parts);
      const token = fieldOf(request.body, "token");
      if (token === null) {
        const description = "token is missing, or was sent more than once.";
        return sendOAuthError(reply, "invalid_request", { description });
      }
      await parts.signIn.revoke(token, callerOf(request, parts.origin()), settings);
      return await reply.headers(NO_STORE).code(200).send();
    });
  };
}
