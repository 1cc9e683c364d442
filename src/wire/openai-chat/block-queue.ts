import { UNSIGNED } from "./unsigned-thinking.ts";

/** One block of an answer whose pieces come in from Chat's chunks. */
export interface StreamedBlock {
  readonly kind: "text" | "thinking" | "tool" | "whole";
  /** Chat's index of the tool call; -1 for other kinds. */
  readonly toolIndex: number;
  /** JSON of `content_block` for the start event; null while a tool's name has not come yet. */
  start: string | null;
  /** JSON of deltas that wait for the block's turn. */
  waiting: string[];
  /** A tool's arguments as far as they came. */
  args: string;
  /** Whether thinking has got its signature. */
  signed: boolean;
}

/**
 * Puts blocks one after the other, as Messages wants them. The first block is relayed as it comes; pieces of later ones wait
 * until it is complete. Text and thinking are complete when something else follows, a tool call when its arguments are
 * whole JSON: only servers that mix the pieces of parallel calls make anything wait.
 */
export class BlockQueue {
  /** Events that can be said now; taken and emptied by the owner. */
  out = "";
  #index = 0;
  #started = false;
  readonly #queue: StreamedBlock[] = [];

  /** The block that further text or thinking would continue. */
  get last(): StreamedBlock | undefined {
    return this.#queue.at(-1);
  }

  tool(toolIndex: number): StreamedBlock | undefined {
    return this.#queue.findLast((block) => block.toolIndex === toolIndex);
  }

  add(block: StreamedBlock): void {
    this.#queue.push(block);
    this.#advance();
  }

  /** A delta's JSON for a block of the queue. */
  delta(block: StreamedBlock, delta: string): void {
    if (block === this.#queue[0] && this.#started) this.#say(delta);
    else block.waiting.push(delta);
    this.#advance();
  }

  /** The block's start is known now. */
  startKnown(): void {
    this.#advance();
  }

  /** Completes every block in its order. */
  finish(): void {
    for (;;) {
      const [head] = this.#queue;
      if (head === undefined) return;
      head.start ??= toolStart("", "");
      this.#begin(head);
      this.#close(head);
    }
  }

  #advance(): void {
    for (;;) {
      const [head] = this.#queue;
      if (head === undefined || head.start === null) return;
      this.#begin(head);
      if (!isComplete(head, this.#queue.length > 1)) return;
      this.#close(head);
    }
  }

  #begin(head: StreamedBlock): void {
    if (this.#started) return;
    this.#started = true;
    const data = `{"type":"content_block_start","index":${this.#index},"content_block":${head.start}}`;
    this.out += `event: content_block_start\ndata: ${data}\n\n`;
    for (const delta of head.waiting) this.#say(delta);
    head.waiting = [];
  }

  #say(delta: string): void {
    const data = `{"type":"content_block_delta","index":${this.#index},"delta":${delta}}`;
    this.out += `event: content_block_delta\ndata: ${data}\n\n`;
  }

  #close(head: StreamedBlock): void {
    if (head.kind === "thinking" && !head.signed) this.#say(UNSIGNED_DELTA);
    this.out += `event: content_block_stop\ndata: {"type":"content_block_stop","index":${this.#index}}\n\n`;
    this.#queue.shift();
    this.#index++;
    this.#started = false;
  }
}

const UNSIGNED_DELTA = JSON.stringify({ type: "signature_delta", signature: UNSIGNED });

/** JSON of the `content_block` that a tool call starts with. */
export function toolStart(id: string, name: string): string {
  return JSON.stringify({ type: "tool_use", id, name, input: {} });
}

function isComplete(block: StreamedBlock, followed: boolean): boolean {
  if (block.kind === "whole") return true;
  if (!followed) return false;
  return block.kind !== "tool" || isWholeJson(block.args);
}

function isWholeJson(text: string): boolean {
  if (!text.trimEnd().endsWith("}")) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // More is to come.
  }
}
