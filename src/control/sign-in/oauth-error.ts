import type { FastifyReply } from "fastify";

/** Errors of RFC 6749 5.2, RFC 8628 3.5 and RFC 7009. */
export type OAuthErrorCode =
  | "invalid_request"
  | "invalid_grant"
  | "unsupported_grant_type"
  | "unsupported_token_type"
  | "authorization_pending"
  | "slow_down"
  | "access_denied"
  | "expired_token"
  | "temporarily_unavailable";

const STATUS: Readonly<Partial<Record<OAuthErrorCode, number>>> = { temporarily_unavailable: 503 };

/** Answers with an OAuth error; nothing of it may be kept by caches. */
export function sendOAuthError(
  reply: FastifyReply,
  error: OAuthErrorCode,
  { description, status, retryAfterSeconds }: { description: string; status?: number; retryAfterSeconds?: number },
): FastifyReply {
  if (retryAfterSeconds !== undefined) reply.header("retry-after", String(retryAfterSeconds));
  return reply
    .code(status ?? STATUS[error] ?? 400)
    .headers(NO_STORE)
    .type("application/json")
    .send({ error, error_description: description });
}

/** Headers of every answer with a token or code (RFC 6749, 5.1). */
export const NO_STORE: Readonly<Record<string, string>> = { "cache-control": "no-store", pragma: "no-cache" };
