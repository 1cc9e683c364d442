import { readFile } from "node:fs/promises";

import { type Issued, type Issuer, IssueError } from "../issuer.ts";
import { bearer, type TokenHeaders } from "../token-credential.ts";

/** How often the file is read again. A token file is small, and mounted secrets do not always report changes. */
const REREAD_MS = 10_000;

/** A token that something else keeps fresh in a file: a projected service-account token, a Vault agent, a sidecar. */
export class TokenFileIssuer implements Issuer<TokenHeaders> {
  readonly what = "token file";
  readonly fix: string;
  readonly secrets: readonly string[] = [];
  readonly #path: string;
  readonly #header: string | null;

  /** `header` is a lower-case name that carries the bare token; null for `authorization: Bearer`. */
  constructor(path: string, header: string | null) {
    this.#path = path;
    this.#header = header;
    this.fix = "Check the file and what writes it.";
  }

  async issue(signal: AbortSignal): Promise<Issued<TokenHeaders>> {
    const token = await readToken(this.#path, signal);
    const value = this.#header === null ? bearer(token) : { token, headers: [this.#header, token] };
    return { value, expiresAtMs: jwtExpiryMs(token), renewAfterMs: REREAD_MS };
  }
}

/** Reads a token from a file. Throws IssueError when there is none that could stand in a header. */
export async function readToken(path: string, signal: AbortSignal): Promise<string> {
  const token = (await readFile(path, { encoding: "utf8", signal })).trim();
  if (token === "") throw new IssueError("its token file is empty", path);
  if (!/^[\x21-\x7e]+$/.test(token)) throw new IssueError("its token file does not hold one line of text", path);
  return token;
}

/** When a JWT ends by its own word, milliseconds since the epoch; null when it does not say or is no JWT. */
export function jwtExpiryMs(token: string): number | null {
  const [, payload] = token.split(".");
  if (payload === undefined) return null;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    const exp: unknown = typeof claims === "object" && claims !== null ? Reflect.get(claims, "exp") : undefined;
    return typeof exp === "number" ? exp * 1000 : null;
  } catch {
    // Not a JWT: an opaque token says nothing about its end.
    return null;
  }
}
