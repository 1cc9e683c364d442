import { request } from "undici";
import { z } from "zod";

/** What answers at an address. */
export type WeirProbe =
  | { readonly state: "ready" }
  | { readonly state: "not_ready"; readonly failures: readonly { readonly check: string; readonly reason: string }[] }
  /** Something else answers, or a proxy in between. */
  | { readonly state: "not_weir"; readonly status: number }
  | { readonly state: "unreachable"; readonly reason: string; readonly isRefused: boolean };

const TIMEOUT_MS = 5_000;

const READINESS = z.object({
  status: z.enum(["ready", "not_ready"]),
  failures: z.array(z.object({ check: z.string(), reason: z.string() })).default([]),
});

/** Asks `/readyz` whether a Weir at `baseUrl` would serve a request now. Never rejects. */
export async function probeWeir(baseUrl: string, timeoutMs = TIMEOUT_MS): Promise<WeirProbe> {
  try {
    const { status, text } = await get(`${baseUrl}/readyz`, { timeoutMs, headers: {} });
    const body = READINESS.safeParse(parseJson(text));
    if (!body.success) return { state: "not_weir", status };
    return body.data.status === "ready" ? { state: "ready" } : { state: "not_ready", failures: body.data.failures };
  } catch (error) {
    const { code, text } = connectionFailure(error);
    return { state: "unreachable", reason: text, isRefused: code === "ECONNREFUSED" };
  }
}

/** Asks whether Weir takes a key, by listing models, which costs nothing. `refusal` is null unless it clearly does not. */
export async function probeKey(baseUrl: string, key: string): Promise<{ refusal: string | null }> {
  const headers = { authorization: `Bearer ${key}` };
  try {
    const { status, text } = await get(`${baseUrl}/v1/models?limit=1`, { timeoutMs: TIMEOUT_MS, headers });
    return { refusal: status === 401 ? messageOf(text) : null };
  } catch {
    // Readiness was asked a moment ago; what is wrong now, the real request will say.
    return { refusal: null };
  }
}

/** One GET. Not by `fetch`, which refuses some ports that Weir may well listen on; redirects are not followed. */
async function get(
  url: string,
  { timeoutMs, headers }: { timeoutMs: number; headers: Record<string, string> },
): Promise<{ status: number; text: string }> {
  const signal = AbortSignal.timeout(timeoutMs);
  const { statusCode, body } = await request(url, { headers, signal, reset: true });
  return { status: statusCode, text: await body.text() };
}

const REASONS: Readonly<Partial<Record<string, string>>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host's name could not be looked up",
  ECONNRESET: "the connection was reset",
  EHOSTUNREACH: "there is no route to the host",
  ENETUNREACH: "there is no route to the network",
  ETIMEDOUT: "the connection timed out",
  UND_ERR_CONNECT_TIMEOUT: "the connection timed out",
  UND_ERR_HEADERS_TIMEOUT: "it accepted the connection and did not answer",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate comes from an authority that this machine does not trust",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate comes from an authority that this machine does not trust",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate comes from an authority that this machine does not trust",
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS on that port",
  EPROTO: "it does not speak TLS on that port, or not a version that both know",
};

/** Why a connection failed, in words, with the system's code for it. */
export function connectionFailure(error: unknown): { code: string; text: string } {
  const found = codeOf(error);
  if (found === null && error instanceof Error && error.name === "TimeoutError") {
    return { code: "TIMEOUT", text: "no answer in time" };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: found ?? "UNKNOWN", text: found === null ? message : (REASONS[found] ?? `${message} (${found})`) };
}

/** The system's code of an error or of what caused it; of several attempts, that of the first. */
function codeOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if (error.cause !== undefined) return codeOf(error.cause);
  if ("code" in error && typeof error.code === "string" && error.code !== "") return error.code;
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return null;
}

function messageOf(body: string): string {
  const parsed = z.object({ error: z.object({ message: z.string() }) }).safeParse(parseJson(body));
  return parsed.success ? parsed.data.error.message : "it is not valid";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON, so not an answer of Weir's.
    return null;
  }
}
