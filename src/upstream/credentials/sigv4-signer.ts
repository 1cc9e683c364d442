import { createHmac, hash } from "node:crypto";

import type { Clock } from "../../core/clock.ts";
import type { AwsKeys, SigningScope } from "./aws-keys.ts";
import type { SignableRequest } from "./credential.ts";

const ALGORITHM = "AWS4-HMAC-SHA256";
const MS_IN_SECOND = 1_000;

/** What signatures of one day with one set of keys have in common. */
interface SigningDay {
  readonly keys: AwsKeys;
  readonly date: string;
  /** `20261120/us-east-1/bedrock/aws4_request` */
  readonly scope: string;
  readonly key: Buffer;
}

/**
 * Signs requests with AWS Signature Version 4
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). The path is escaped once
 * more for the signature, as every service but S3 has it, so a path with `%2F` or `%3A` is signed as it is sent. Signed
 * are the host, the content type, `x-amz*` and `anthropic-*`: what a proxy on the way may change (accept-encoding,
 * user-agent, trace headers) is not.
 */
export class SigV4Signer {
  readonly #scope: SigningScope;
  readonly #clock: Clock;
  #day: SigningDay | null = null;
  #second = -1;
  /** `20261120T224430Z`, for the second above. */
  #amzDate = "";
  /** The last path that was signed: most requests go to the same few. */
  #path = "";
  #canonicalPath = "";

  constructor(scope: SigningScope, clock: Clock) {
    this.#scope = scope;
    this.#clock = clock;
  }

  /** The headers that make the request a signed one, a flat list with lower-case names. */
  sign(request: SignableRequest, keys: AwsKeys): string[] {
    const amzDate = this.#date();
    const bodyHash = hash("sha256", request.body, "hex");
    const headers = ["x-amz-date", amzDate, "x-amz-content-sha256", bodyHash];
    if (keys.sessionToken !== null) headers.push("x-amz-security-token", keys.sessionToken);
    const { names, lines } = canonicalHeaders(request, headers);
    const mark = request.path.indexOf("?");
    const path = this.#pathOf(mark === -1 ? request.path : request.path.slice(0, mark));
    const query = mark === -1 ? "" : canonicalQuery(request.path.slice(mark + 1));
    const canonical = `${request.method}\n${path}\n${query}\n${lines}\n${names}\n${bodyHash}`;
    const { scope, key } = this.#dayOf(amzDate.slice(0, 8), keys);
    const toSign = `${ALGORITHM}\n${amzDate}\n${scope}\n${hash("sha256", canonical, "hex")}`;
    const signature = createHmac("sha256", key).update(toSign).digest("hex");
    const credential = `${keys.accessKeyId}/${scope}`;
    headers.push(
      "authorization",
      `${ALGORITHM} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
    );
    return headers;
  }

  #date(): string {
    const nowMs = this.#clock.nowMs();
    const second = Math.floor(nowMs / MS_IN_SECOND);
    if (second !== this.#second) {
      this.#second = second;
      this.#amzDate = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
    }
    return this.#amzDate;
  }

  #pathOf(path: string): string {
    if (path !== this.#path) {
      this.#path = path;
      this.#canonicalPath = canonicalPath(path);
    }
    return this.#canonicalPath;
  }

  #dayOf(date: string, keys: AwsKeys): SigningDay {
    const known = this.#day;
    if (known !== null && known.date === date && known.keys === keys) return known;
    const { region, service } = this.#scope;
    const parts = [date, region, service, "aws4_request"];
    const secret = Buffer.from(`AWS4${keys.secretAccessKey}`);
    const key = parts.reduce((derived, part) => createHmac("sha256", derived).update(part).digest(), secret);
    this.#day = { keys, date, scope: parts.join("/"), key };
    return this.#day;
  }
}

/** What the signer replaces, so that a client's own value is not signed. */
const REPLACED = new Set(["x-amz-date", "x-amz-content-sha256", "x-amz-security-token"]);
/** Headers that load balancers of AWS add or change on the way. */
const CHANGED_ON_THE_WAY = new Set(["x-amzn-trace-id"]);
const TEXT = /^[\t\x20-\x7e]*$/;

/** The headers that are signed: their names, and a line for each; both lists in the order of the names. */
function canonicalHeaders(
  { host, headers }: SignableRequest,
  added: readonly string[],
): { names: string; lines: string } {
  const values = new Map([["host", trimmed(host)]]);
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? "";
    const value = headers[i + 1] ?? "";
    if (!isSigned(name) || !TEXT.test(value)) continue;
    const before = values.get(name);
    values.set(name, before === undefined ? trimmed(value) : `${before},${trimmed(value)}`);
  }
  for (let i = 0; i + 1 < added.length; i += 2) values.set(added[i] ?? "", added[i + 1] ?? "");
  const names = [...values.keys()].sort();
  let lines = "";
  for (const name of names) lines += `${name}:${values.get(name) ?? ""}\n`;
  return { names: names.join(";"), lines };
}

function isSigned(name: string): boolean {
  if (name.startsWith("x-amz")) return !REPLACED.has(name) && !CHANGED_ON_THE_WAY.has(name);
  return name === "content-type" || name.startsWith("anthropic-");
}

/** Without space around it, and no more than one within. */
function trimmed(value: string): string {
  return /^\s|\s$|\s\s|\t/.test(value) ? value.trim().replace(/\s+/g, " ") : value;
}

/** Dot segments resolved, runs of slashes folded, and every segment escaped once more. */
function canonicalPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(escape3986(segment));
  }
  return `/${kept.join("/")}${kept.length > 0 && path.endsWith("/") ? "/" : ""}`;
}

/** The query's parts in the order of their names, and of their values where those are the same. */
function canonicalQuery(query: string): string {
  const parts = query.split("&").filter((part) => part !== "");
  const pairs = parts.map((part): [name: string, value: string] => {
    const equals = part.indexOf("=");
    const name = equals === -1 ? part : part.slice(0, equals);
    const value = equals === -1 ? "" : part.slice(equals + 1);
    return [escape3986(unescape3986(name)), escape3986(unescape3986(value))];
  });
  pairs.sort((a, b) => order(a[0], b[0]) || order(a[1], b[1]));
  return pairs.map((pair) => pair.join("=")).join("&");
}

/** By code unit, whatever the locale. */
function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** All but RFC 3986's unreserved characters escaped. */
function escape3986(text: string): string {
  const escaped = encodeURIComponent(text);
  return escaped.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** A `+` is a plus here, not a space. */
function unescape3986(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray percent sign is signed, and sent, as it stands.
    return text;
  }
}
