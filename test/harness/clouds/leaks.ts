import type { CloudRequest } from "./cloud-request.ts";

/** Headers with which a caller proves who it is; an upstream may see at most one of them. */
const CREDENTIAL_HEADERS = ["authorization", "x-api-key", "api-key", "x-goog-api-key"];
/** Headers of a client's connection or of its browser, which end at a gateway. */
const CONNECTION_HEADERS = ["proxy-authorization", "proxy-connection", "cookie", "te", "trailer", "upgrade", "expect"];
const WEIR_KEY = /\bwr-(?:prod|test|dev|ci)-[A-Za-z0-9_-]{8,}/;

/**
 * What a request gives away that belongs to the gateway or its client: Weir's keys, several credentials at once, headers
 * of the client's connection, Weir's own headers, and whatever texts a test forbids.
 */
export function leaksOf(request: CloudRequest, forbidden: readonly string[]): string[] {
  const names = Object.keys(request.headers);
  const values = request.rawHeaders.filter((_, index) => index % 2 === 1);
  const leaks = names.filter((name) => CONNECTION_HEADERS.includes(name)).map((name) => `header ${name} came through`);
  leaks.push(
    ...names.filter((name) => name.startsWith("x-weir-")).map((name) => `Weir's own header ${name} came through`),
  );
  const credentials = names.filter((name) => CREDENTIAL_HEADERS.includes(name));
  if (credentials.length > 1) leaks.push(`several credentials: ${credentials.join(", ")}`);
  if (values.some((value) => WEIR_KEY.test(value)) || WEIR_KEY.test(request.url)) leaks.push("a Weir key came through");
  for (const text of forbidden) {
    const isInHead = values.some((value) => value.includes(text)) || request.url.includes(text);
    if (isInHead || request.body.includes(text)) leaks.push(`a forbidden text came through: ${text.slice(0, 8)}…`);
  }
  return leaks;
}
