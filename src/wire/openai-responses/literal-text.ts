import { WeirError } from "../../core/weir-error.ts";

/** The JSON text of a value with one character for each of its bytes. */
export function literalOf(value: unknown): string {
  const json = JSON.stringify(value);
  // eslint-disable-next-line no-control-regex -- the range of ASCII
  return /^[\u0000-\u007f]*$/.test(json) ? json : Buffer.from(json, "utf8").toString("latin1");
}

/**
 * A text that is put together of the JSON texts of its pieces, one character a byte: what passes in every delta is neither
 * parsed nor written anew.
 */
export class LiteralText {
  #inner = "";

  /** Adds a piece: the JSON text of a string, with its quotes. */
  add(literal: string): void {
    this.#inner += literal.slice(1, -1);
  }

  get isEmpty(): boolean {
    return this.#inner === "";
  }

  /** The text itself. Throws WeirError when a piece was no JSON, which is only seen here. */
  value(): string {
    try {
      return String(JSON.parse(Buffer.from(`"${this.#inner}"`, "latin1").toString("utf8")));
    } catch (cause) {
      throw new WeirError("weir:upstream:bad_answer", "The upstream's stream has a text that is not JSON.", { cause });
    }
  }
}
