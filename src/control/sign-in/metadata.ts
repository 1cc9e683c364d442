import type { ControlRoutes } from "../control-api.ts";
import { requireSettings, type SignInEndpointParts } from "./sign-in-parts.ts";

export const DEVICE_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code";

/** Authorization server metadata (RFC 8414). */
export function metadataRoutes(parts: SignInEndpointParts): ControlRoutes {
  return (app) => {
    app.get("/.well-known/oauth-authorization-server", async (_request, reply) => {
      requireSettings(parts);
      const issuer = parts.origin();
      return await reply.type("application/json").send({
        issuer,
        device_authorization_endpoint: `${issuer}/oauth/device_authorization`,
        token_endpoint: `${issuer}/oauth/token`,
        revocation_endpoint: `${issuer}/oauth/revoke`,
        grant_types_supported: [DEVICE_GRANT_TYPE, "refresh_token"],
        response_types_supported: [],
        token_endpoint_auth_methods_supported: ["none"],
        revocation_endpoint_auth_methods_supported: ["none"],
        scopes_supported: ["openid", "profile", "email"],
        ui_locales_supported: ["en", "zh"],
        gateway_protocol_version: 1,
      });
    });
  };
}
