import type { WireWarning } from "../codec.ts";
import { BodyEdit, memberOf } from "../cloud/body-edit.ts";
import type { Member } from "../json/json-scan.ts";
import { JsonSpans, type Span } from "../json/json-spans.ts";
import { isUnsigned } from "../openai-chat/unsigned-thinking.ts";
import { isCarrier } from "../openai-responses/block-carrier.ts";
import { isObject } from "./json-reader.ts";

/** A request without the thinking that Claude would refuse, and what the client is told of it. */
export interface StrippedRequest {
  readonly body: Buffer;
  readonly warning: WireWarning;
}

/** Deeper than any body that has passed the gateway's own limit. */
const ANY_DEPTH = 1_000_000;

/**
 * Takes thinking out of a Messages request that another model than Claude gave: Claude refuses thinking that it has not signed
 * itself. Turns that held nothing else go with it. The other bytes stay as they are. Null when there is none.
 * `members` are those of the body's top level; the body is valid JSON.
 */
export function withoutForeignThinking(body: Buffer, members: readonly Member[]): StrippedRequest | null {
  const messages = memberOf(members, "messages");
  if (messages === undefined) return null;
  const cutter = new ThinkingCutter(body, members);
  cutter.messages(messages.valueStart);
  if (cutter.first === null) return null;
  const message = "is thinking of another model, which Claude cannot use, and was left out";
  return { body: cutter.edit.toBuffer(), warning: { field: cutter.first, message } };
}

class ThinkingCutter {
  readonly edit: BodyEdit;
  /** The path of the first block that was taken out; null while there is none. */
  first: string | null = null;
  /** Byte by byte, so that offsets are the body's. */
  readonly #text: string;
  readonly #spans: JsonSpans;

  constructor(body: Buffer, members: readonly Member[]) {
    this.edit = new BodyEdit(body, members);
    this.#text = body.toString("latin1");
    this.#spans = new JsonSpans(this.#text, ANY_DEPTH);
  }

  messages(start: number): void {
    const turns = [...this.#spans.itemsOf(start)];
    const isEmptied = turns.map((turn, index) => this.#turn(turn, `messages[${index}].content`));
    this.#cut(turns, isEmptied);
  }

  /** Takes foreign thinking out of a turn. True when nothing else is in it: then the turn itself has to go. */
  #turn({ start }: Span, path: string): boolean {
    const content = [...this.#spans.membersOf(start)].find(({ key }) => key === "content");
    if (content === undefined || this.#text[content.start] !== "[") return false;
    const blocks = [...this.#spans.itemsOf(content.start)];
    const isForeign = blocks.map((block) => this.#isForeign(block));
    const first = isForeign.indexOf(true);
    if (first < 0) return false;
    this.first ??= `${path}[${first}]`;
    if (!isForeign.includes(false)) return true;
    this.#cut(blocks, isForeign);
    return false;
  }

  #isForeign({ start, end }: Span): boolean {
    const text = this.#text.slice(start, end);
    // Large blocks, such as a tool's result, are not parsed for nothing.
    if (!text.includes('"thinking"')) return false;
    const block: unknown = JSON.parse(text);
    if (!isObject(block) || block["type"] !== "thinking") return false;
    const { signature } = block;
    return typeof signature === "string" && (isUnsigned(signature) || isCarrier(signature));
  }

  /** Cuts those elements of an array that are marked, each with one comma. */
  #cut(elements: readonly Span[], isMarked: readonly boolean[]): void {
    let keptEnd = -1;
    for (const [index, { start, end }] of elements.entries()) {
      if (isMarked[index] !== true) keptEnd = end;
      else if (keptEnd < 0) this.edit.replace(start, elements[index + 1]?.start ?? end, "");
      else {
        this.edit.replace(keptEnd, end, "");
        keptEnd = end;
      }
    }
  }
}
