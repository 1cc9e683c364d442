import { malformed } from "./malformed-response.ts";

/** A field's name (RFC 9110, 5.1). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Names remembered; an upstream that makes up more of them only costs time. */
const MAX_REMEMBERED = 512;
const MAX_REMEMBERED_LENGTH = 64;

/** Field names in lower case. Answers have the same names again and again: each is checked and lowered once. */
export class FieldNames {
  readonly #known = new Map<string, string>();

  /** The name in lower case. Throws when it is no token: a space before the colon, a folded line, control characters. */
  lower(raw: string): string {
    const known = this.#known.get(raw);
    if (known !== undefined) return known;
    if (!TOKEN.test(raw)) throw malformed("invalid field name", "INVALID_HEADER_TOKEN");
    const name = raw.toLowerCase();
    if (this.#known.size < MAX_REMEMBERED && raw.length <= MAX_REMEMBERED_LENGTH) {
      // A copy: a piece of a string keeps the whole of it.
      this.#known.set(Buffer.from(raw, "latin1").toString("latin1"), Buffer.from(name, "latin1").toString("latin1"));
    }
    return name;
  }
}
