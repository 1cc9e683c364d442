import { GRANT_SECONDS, POLL_SECONDS } from "../../identity/device/device-grants.ts";
import type { ControlRoutes } from "../control-api.ts";
import { NO_STORE, sendOAuthError } from "./oauth-error.ts";
import { callerOf, requireSettings, type SignInEndpointParts } from "./sign-in-parts.ts";

/** A device asks to be signed in (RFC 8628, 3.1). */
export function deviceAuthorizationRoutes(parts: SignInEndpointParts): ControlRoutes {
  return (app) => {
    app.post("/oauth/device_authorization", async (request, reply) => {
      const { loginNotice } = requireSettings(parts);
      const origin = parts.origin();
      const caller = callerOf(request, origin);
      if (!(await parts.limits.allows("device_authorization", caller.address))) {
        return sendOAuthError(reply, "slow_down", {
          description: "Too many sign-ins were begun from your network, which others may share. Wait, then try again.",
          status: 429,
          retryAfterSeconds: parts.limits.retryAfterSeconds("device_authorization"),
        });
      }
      const { deviceCode, userCode } = await parts.signIn.begin(caller);
      return await reply
        .headers(NO_STORE)
        .type("application/json")
        .send({
          device_code: deviceCode,
          user_code: userCode,
          verification_uri: `${origin}/device`,
          verification_uri_complete: `${origin}/device?user_code=${encodeURIComponent(userCode)}`,
          expires_in: GRANT_SECONDS,
          interval: POLL_SECONDS,
          ...(loginNotice === null ? {} : { login_notice: loginNotice }),
        });
    });
  };
}
