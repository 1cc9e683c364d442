import type { FastifyReply } from "fastify";

import { POLL_SECONDS } from "../../identity/device/device-grants.ts";
import { SignInRefused } from "../../identity/oidc/sign-in-refused.ts";
import type { Caller } from "../../identity/sign-in/sign-in.ts";
import type { SignInSettings } from "../../identity/sign-in/sign-in-settings.ts";
import type { TokenAnswer } from "../../identity/tokens/sessions.ts";
import type { ControlRoutes } from "../control-api.ts";
import { DEVICE_GRANT_TYPE } from "./metadata.ts";
import { NO_STORE, sendOAuthError } from "./oauth-error.ts";
import { callerOf, fieldOf, requireSettings, type SignInEndpointParts } from "./sign-in-parts.ts";

interface Asked {
  readonly caller: Caller;
  readonly settings: SignInSettings;
}

/** Devices fetch and renew their tokens (RFC 6749 3.2, RFC 8628 3.4). */
export function tokenRoutes(parts: SignInEndpointParts): ControlRoutes {
  return (app) => {
    app.post("/oauth/token", async (request, reply) => {
      const settings = requireSettings(parts);
      const asked = { settings, caller: callerOf(request, parts.origin()) };
      const type = fieldOf(request.body, "grant_type");
      if (type === DEVICE_GRANT_TYPE) {
        const code = fieldOf(request.body, "device_code");
        return code === null ? missing(reply, "device_code") : await answerDevice(parts, reply, { ...asked, code });
      }
      if (type === "refresh_token") {
        const token = fieldOf(request.body, "refresh_token");
        return token === null
          ? missing(reply, "refresh_token")
          : await answerRefresh(parts, reply, { ...asked, token });
      }
      if (type === null) return missing(reply, "grant_type");
      const description = `This grant_type is not served here. Use ${DEVICE_GRANT_TYPE} or refresh_token.`;
      return sendOAuthError(reply, "unsupported_grant_type", { description });
    });
  };
}

async function answerDevice(
  parts: SignInEndpointParts,
  reply: FastifyReply,
  { caller, settings, code }: Asked & { code: string },
): Promise<FastifyReply> {
  const poll = await parts.signIn.poll(code);
  switch (poll.state) {
    case "approved":
      return sendTokens(reply, await parts.signIn.openSession(poll.approval, caller, settings));
    case "pending":
      return sendOAuthError(reply, "authorization_pending", { description: "The person has not approved yet." });
    case "too_fast": {
      const description = `Ask at most every ${POLL_SECONDS} seconds.`;
      return sendOAuthError(reply, "slow_down", { description, retryAfterSeconds: POLL_SECONDS });
    }
    case "denied":
      return sendOAuthError(reply, "access_denied", { description: "The sign-in was denied." });
    case "expired":
    case "unknown":
      break;
  }
  if (poll.state === "unknown" && (await isLimited(parts, caller))) return sendLimited(parts, reply);
  return sendOAuthError(reply, "expired_token", { description: NO_CODE });
}

const NO_CODE = "This device code is not known, has been used or has expired. Begin again.";

async function answerRefresh(
  parts: SignInEndpointParts,
  reply: FastifyReply,
  { caller, settings, token }: Asked & { token: string },
): Promise<FastifyReply> {
  try {
    const outcome = await parts.signIn.refresh(token, caller, settings);
    if (outcome.state === "renewed") return sendTokens(reply, outcome.answer);
    if (outcome.state === "busy") return unavailable(reply, "This token is being renewed already.");
    if (outcome.state === "unknown" && (await isLimited(parts, caller))) return sendLimited(parts, reply);
  } catch (error) {
    if (!(error instanceof SignInRefused)) throw error;
    if (error.reason === "idp_unavailable") return unavailable(reply, error.message);
    return sendOAuthError(reply, "invalid_grant", { description: error.message });
  }
  return sendOAuthError(reply, "invalid_grant", { description: "This session has ended. Sign in again." });
}

function sendTokens(reply: FastifyReply, answer: TokenAnswer): FastifyReply {
  return reply.headers(NO_STORE).type("application/json").send(answer);
}

function missing(reply: FastifyReply, field: string): FastifyReply {
  return sendOAuthError(reply, "invalid_request", { description: `${field} is missing, or was sent more than once.` });
}

function unavailable(reply: FastifyReply, description: string): FastifyReply {
  return sendOAuthError(reply, "temporarily_unavailable", { description, retryAfterSeconds: POLL_SECONDS });
}

async function isLimited({ limits }: SignInEndpointParts, { address }: Caller): Promise<boolean> {
  return !(await limits.allows("token_failures", address));
}

function sendLimited({ limits }: SignInEndpointParts, reply: FastifyReply): FastifyReply {
  return sendOAuthError(reply, "slow_down", {
    description: "Too many unknown codes or tokens came from your network. Wait, then try again.",
    status: 429,
    retryAfterSeconds: limits.retryAfterSeconds("token_failures"),
  });
}
