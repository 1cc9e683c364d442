import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";

import type { SignatureV4 } from "@smithy/signature-v4";

import type { Clock } from "../../core/clock.ts";
import type { AwsKeys, SigningScope } from "./aws-keys.ts";
import type { SignableRequest } from "./credential.ts";

type SignatureV4Class = typeof SignatureV4;

/** The hash that the signer asks for, from node:crypto. */
class NodeSha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", keyOf(secret));
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error("a hash is used once");
  }
}

/**
 * Signs requests with AWS Signature Version 4. The path is escaped once more for the signature, as every service but S3
 * has it, so a path with `%2F` or `%3A` is signed as it is sent. Signed are the host, the content type, `x-amz*` and
 * `anthropic-*`: what a proxy on the way may change (accept-encoding, user-agent, trace headers) is not.
 */
export class SigV4Signer {
  readonly #signature: SignatureV4Class;
  readonly #scope: SigningScope;
  readonly #clock: Clock;
  #keys: AwsKeys | null = null;
  #signer: SignatureV4 | null = null;

  private constructor(signature: SignatureV4Class, scope: SigningScope, clock: Clock) {
    this.#signature = signature;
    this.#scope = scope;
    this.#clock = clock;
  }

  /** Loads the library, which only upstreams on AWS need. */
  static async load(scope: SigningScope, clock: Clock): Promise<SigV4Signer> {
    const { SignatureV4 } = await import("@smithy/signature-v4");
    return new SigV4Signer(SignatureV4, scope, clock);
  }

  /** The headers that make the request a signed one, a flat list with lower-case names. */
  async sign(request: SignableRequest, keys: AwsKeys): Promise<string[]> {
    const mark = request.path.indexOf("?");
    const signed = await this.#signerFor(keys).sign(
      {
        method: request.method,
        protocol: "https:",
        hostname: request.host,
        path: mark === -1 ? request.path : request.path.slice(0, mark),
        query: mark === -1 ? {} : queryOf(request.path.slice(mark + 1)),
        headers: {
          ...signableHeaders(request.headers),
          host: request.host,
          // With the hash at hand the library does not hash the body in its slower way.
          "x-amz-content-sha256": createHash("sha256").update(request.body).digest("hex"),
        },
      },
      { signingDate: new Date(this.#clock.nowMs()) },
    );
    const headers: string[] = [];
    for (const name of ["x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "authorization"]) {
      const value = signed.headers[name];
      if (value !== undefined) headers.push(name, value);
    }
    return headers;
  }

  #signerFor(keys: AwsKeys): SignatureV4 {
    if (this.#signer === null || this.#keys !== keys) {
      const { accessKeyId, secretAccessKey, sessionToken } = keys;
      const credentials = { accessKeyId, secretAccessKey, ...(sessionToken !== null && { sessionToken }) };
      this.#signer = new this.#signature({ ...this.#scope, credentials, sha256: NodeSha256 });
      this.#keys = keys;
    }
    return this.#signer;
  }
}

function keyOf(secret: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof secret === "string") return secret;
  return ArrayBuffer.isView(secret)
    ? new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
    : new Uint8Array(secret);
}

/** What the signer replaces, so that a client's own value is not signed. */
const REPLACED = new Set(["x-amz-date", "x-amz-content-sha256", "x-amz-security-token"]);
/** Headers that load balancers of AWS add or change on the way. */
const CHANGED_ON_THE_WAY = new Set(["x-amzn-trace-id"]);

function signableHeaders(flat: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = flat[i] ?? "";
    const value = flat[i + 1] ?? "";
    if (!isSigned(name) || !/^[\t\x20-\x7e]*$/.test(value)) continue;
    headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`;
  }
  return headers;
}

function isSigned(name: string): boolean {
  if (REPLACED.has(name) || CHANGED_ON_THE_WAY.has(name)) return false;
  return name === "content-type" || name.startsWith("x-amz") || name.startsWith("anthropic-");
}

/** The query's parts unescaped, as the signer escapes them in its own way. A `+` is a plus here, not a space. */
function queryOf(query: string): Record<string, string[]> {
  const parts: Record<string, string[]> = {};
  for (const part of query.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = unescape3986(equals === -1 ? part : part.slice(0, equals));
    (parts[name] ??= []).push(unescape3986(equals === -1 ? "" : part.slice(equals + 1)));
  }
  return parts;
}

function unescape3986(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray percent sign is signed, and sent, as it stands.
    return text;
  }
}
