import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** A request as a server received it. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path and query exactly as they came over the wire. */
  readonly path: string;
  /** Node's `rawHeaders` (flat name, value list) or its `headers` object. */
  readonly headers: readonly string[] | Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array | string;
}

/** What the server knows: the one key it accepts and who it is. */
export interface ExpectedSigner {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Set for temporary keys: the token must then be present and signed. */
  readonly sessionToken?: string;
  readonly region: string;
  readonly service: string;
  /** The server's time; without it the age of the signature is not judged. */
  readonly nowMs?: number;
}

const ALGORITHM = "AWS4-HMAC-SHA256";
const MAX_SKEW_MS = 5 * 60_000;

interface Authorization {
  readonly accessKeyId: string;
  readonly scope: string;
  readonly signedHeaders: string;
  readonly signature: string;
}

/**
 * Judges a request's AWS Signature Version 4 as a service other than S3 does: from the bytes that arrived, the path
 * escaped once more. Written against AWS's description and sharing nothing with the signer. Returns null when the
 * request is signed properly, else what is wrong.
 */
export function verifySigV4(request: ReceivedRequest, signer: ExpectedSigner): string | null {
  const headers = headerMap(request.headers);
  const authorization = parseAuthorization(headers.get("authorization")?.[0] ?? "");
  if (typeof authorization === "string") return authorization;
  const amzDate = headers.get("x-amz-date")?.[0] ?? "";
  const problem =
    scopeProblem(authorization, signer, amzDate) ??
    headerProblem(authorization, headers) ??
    tokenProblem(headers, signer) ??
    ageProblem(amzDate, signer.nowMs);
  if (problem !== null) return problem;

  const bodyHash = sha256(request.body);
  const declared = headers.get("x-amz-content-sha256")?.[0];
  if (declared !== undefined && declared !== bodyHash)
    return `x-amz-content-sha256 is ${declared}, the body's hash is ${bodyHash}`;
  const canonical = canonicalRequest(request, headers, { signedHeaders: authorization.signedHeaders, bodyHash });
  const toSign = [ALGORITHM, amzDate, authorization.scope, sha256(canonical)].join("\n");
  const expected = hmac(signingKey(signer, amzDate.slice(0, 8)), toSign).toString("hex");
  if (isEqual(expected, authorization.signature)) return null;
  return `the signature does not match; the canonical request is:\n${canonical}`;
}

function parseAuthorization(value: string): Authorization | string {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(value);
  if (match === null) return `no SigV4 authorization header (got ${value === "" ? "none" : value.split(" ", 1)[0]})`;
  const [, accessKeyId = "", scope = "", signedHeaders = "", signature = ""] = match;
  return { accessKeyId, scope, signedHeaders, signature };
}

function scopeProblem(authorization: Authorization, signer: ExpectedSigner, amzDate: string): string | null {
  if (!/^\d{8}T\d{6}Z$/.test(amzDate)) return `x-amz-date is ${amzDate === "" ? "missing" : `not a time: ${amzDate}`}`;
  if (authorization.accessKeyId !== signer.accessKeyId) return `unknown access key ${authorization.accessKeyId}`;
  const expected = `${amzDate.slice(0, 8)}/${signer.region}/${signer.service}/aws4_request`;
  return authorization.scope === expected ? null : `the scope is ${authorization.scope}, not ${expected}`;
}

function headerProblem(authorization: Authorization, headers: ReadonlyMap<string, readonly string[]>): string | null {
  const signed = authorization.signedHeaders.split(";");
  if (signed.join() !== signed.toSorted().join() || signed.some((name) => name !== name.toLowerCase()))
    return `SignedHeaders are not lower-case and sorted: ${authorization.signedHeaders}`;
  const absent = signed.find((name) => !headers.has(name));
  if (absent !== undefined) return `the signed header ${absent} did not arrive`;
  if (!signed.includes("host")) return "the host is not signed";
  const unsigned = [...headers.keys()].find((name) => name.startsWith("x-amz-") && !signed.includes(name));
  return unsigned === undefined ? null : `the header ${unsigned} is not signed`;
}

function tokenProblem(headers: ReadonlyMap<string, readonly string[]>, signer: ExpectedSigner): string | null {
  const token = headers.get("x-amz-security-token")?.[0];
  if (signer.sessionToken === undefined) return token === undefined ? null : "an unexpected session token";
  if (token === undefined) return "the session token is missing";
  return token === signer.sessionToken ? null : "the session token is another";
}

function ageProblem(amzDate: string, nowMs: number | undefined): string | null {
  if (nowMs === undefined) return null;
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(amzDate) ?? [];
  const [year = 0, month = 0, ...rest] = parts.map(Number);
  const [day = 0, hour = 0, minute = 0, second = 0] = rest;
  const signedMs = Date.UTC(year, month - 1, day, hour, minute, second);
  return Math.abs(nowMs - signedMs) <= MAX_SKEW_MS ? null : `signed at ${amzDate}, which is not within five minutes`;
}

function canonicalRequest(
  request: ReceivedRequest,
  headers: ReadonlyMap<string, readonly string[]>,
  { signedHeaders, bodyHash }: { signedHeaders: string; bodyHash: string },
): string {
  const mark = request.path.indexOf("?");
  const path = mark === -1 ? request.path : request.path.slice(0, mark);
  const query = mark === -1 ? "" : request.path.slice(mark + 1);
  const headerLines = signedHeaders
    .split(";")
    .map((name) => `${name}:${(headers.get(name) ?? []).map((value) => value.trim().replace(/ +/g, " ")).join(",")}\n`);
  const lines = [request.method, canonicalPath(path), canonicalQuery(query), headerLines.join(""), signedHeaders];
  return [...lines, bodyHash].join("\n");
}

/** Dot segments resolved and runs of slashes folded, then every segment escaped again: what came as %3A counts as %253A. */
function canonicalPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment === "..") kept.pop();
    else kept.push(escape3986(segment));
  }
  const tail = kept.length > 0 && path.endsWith("/") ? "/" : "";
  return `/${kept.join("/")}${tail}`;
}

function canonicalQuery(query: string): string {
  if (query === "") return "";
  const pairs = query.split("&").map((part) => {
    const equals = part.indexOf("=");
    const [name, value] = equals === -1 ? [part, ""] : [part.slice(0, equals), part.slice(equals + 1)];
    return [escape3986(decodeURIComponent(name)), escape3986(decodeURIComponent(value))] as const;
  });
  const sorted = pairs.toSorted((a, b) => order(a[0], b[0]) || order(a[1], b[1]));
  return sorted.map((pair) => pair.join("=")).join("&");
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Everything but RFC 3986's unreserved characters as %XX of its UTF-8 bytes. */
function escape3986(text: string): string {
  let escaped = "";
  for (const byte of Buffer.from(text, "utf8")) {
    const character = String.fromCharCode(byte);
    escaped += /[A-Za-z0-9._~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return escaped;
}

function headerMap(headers: ReceivedRequest["headers"]): Map<string, string[]> {
  const map = new Map<string, string[]>();
  const add = (name: string, value: string): void => {
    const key = name.toLowerCase();
    map.set(key, [...(map.get(key) ?? []), value]);
  };
  if (isFlat(headers)) {
    for (let i = 0; i + 1 < headers.length; i += 2) add(headers[i] ?? "", headers[i + 1] ?? "");
    return map;
  }
  for (const [name, value] of Object.entries(headers))
    for (const one of typeof value === "string" ? [value] : (value ?? [])) add(name, one);
  return map;
}

function isFlat(headers: ReceivedRequest["headers"]): headers is readonly string[] {
  return Array.isArray(headers);
}

function signingKey(signer: ExpectedSigner, date: string): Buffer {
  const steps = [date, signer.region, signer.service, "aws4_request"];
  return steps.reduce((key, step) => hmac(key, step), Buffer.from(`AWS4${signer.secretAccessKey}`, "utf8"));
}

function hmac(key: Buffer, text: string): Buffer<ArrayBuffer> {
  return createHmac("sha256", key).update(text, "utf8").digest();
}

function sha256(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

function isEqual(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
