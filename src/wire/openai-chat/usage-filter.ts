import type { StreamFilter } from "../codec.ts";
import { topLevelMembers } from "../openai/json-body.ts";
import { isObject } from "../openai/json-reader.ts";
import { MAX_EVENT_BYTES, eventJson } from "../openai/sse-data.ts";
import { EventSplitter } from "../sse/event-splitter.ts";

/**
 * Takes out of a stream what it has only because Weir asked for the usage: the chunk with the usage and without choices, and
 * `"usage":null` in the others. Every other byte stays. An event whose end has not come is kept until it does.
 */
export class UsageFilter implements StreamFilter {
  readonly #splitter = new EventSplitter(this.#event.bind(this), MAX_EVENT_BYTES);
  #pieces: Buffer[] = [];

  push(chunk: Buffer): Buffer {
    this.#pieces = [];
    this.#splitter.push(chunk);
    return Buffer.concat(this.#pieces);
  }

  #event(buffer: Buffer, start: number, end: number): void {
    const event = buffer.subarray(start, end);
    if (!event.includes('"usage"')) {
      this.#pieces.push(event);
      return;
    }
    const chunk = eventJson(buffer, start, end);
    if (!isObject(chunk)) this.#pieces.push(event);
    else if (chunk["usage"] === null) this.#withoutNull(event);
    else if (!isUsageChunk(chunk["choices"], chunk["usage"])) this.#pieces.push(event);
  }

  #withoutNull(event: Buffer): void {
    const from = event.indexOf("{");
    const json = event.subarray(from, event.lastIndexOf("}") + 1);
    const members = topLevelMembers(json);
    const at = members.findIndex(({ key }) => key === "usage");
    const member = members[at];
    const [next, before] = [members[at + 1], members[at - 1]];
    // Data on several lines is not what the scan saw; its null stays.
    if (member === undefined) {
      this.#pieces.push(event);
      return;
    }
    // With the comma after it, or as the last member with the one before it.
    const cutFrom = next === undefined ? (before?.valueEnd ?? member.keyStart) : member.keyStart;
    const cutTo = next?.keyStart ?? member.valueEnd;
    this.#pieces.push(event.subarray(0, from + cutFrom), event.subarray(from + cutTo));
  }
}

function isUsageChunk(choices: unknown, usage: unknown): boolean {
  return Array.isArray(choices) && choices.length === 0 && isObject(usage);
}
