import type { JsonObject } from "../../openai/json-reader.ts";

/** Writes Messages events, numbering the content blocks. */
export class MessagesEvents {
  #text = "";
  #nextIndex = 0;

  event(type: string, fields: JsonObject): void {
    this.#text += `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  }

  /** Begins a block and gives its index. */
  start(block: JsonObject): number {
    const index = this.#nextIndex++;
    this.event("content_block_start", { index, content_block: block });
    return index;
  }

  delta(index: number, delta: JsonObject): void {
    this.event("content_block_delta", { index, delta });
  }

  stop(index: number): void {
    this.event("content_block_stop", { index });
  }

  /** What was written since the last call. */
  take(): Buffer {
    const bytes = Buffer.from(this.#text, "utf8");
    this.#text = "";
    return bytes;
  }
}
