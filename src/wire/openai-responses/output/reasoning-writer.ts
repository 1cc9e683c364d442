import type { JsonObject } from "../../openai/json-reader.ts";
import { carryBlocks } from "../block-carrier.ts";
import { literalOf, LiteralText } from "../literal-text.ts";
import type { DeltaKind } from "../response-events.ts";
import { BlockCollector } from "./block-collector.ts";
import type { ItemStatus, ItemWriter, LiteralKind, OutputItem, OutputList } from "./output-list.ts";

/**
 * Writes a reasoning item for a thinking block, or for any other block that Responses has no form for: what the client may
 * read goes into the summary, the whole block into `encrypted_content`, so that it comes back unchanged in the next turn.
 */
export class ReasoningWriter implements ItemWriter {
  readonly #list: OutputList;
  readonly #item: OutputItem;
  readonly #collector: BlockCollector;
  readonly #summaries: boolean;
  readonly #thinking = new LiteralText();
  readonly #deltaKind: DeltaKind;

  constructor(list: OutputList, block: JsonObject, { summaries }: { summaries: boolean }) {
    this.#list = list;
    this.#summaries = summaries;
    this.#item = list.add("rs", { type: "reasoning", summary: [], status: "in_progress" });
    this.#deltaKind = list.deltaKind(this.#item, "response.reasoning_summary_text.delta", { summary_index: 0 });
    const { thinking, ...rest } = block;
    const isThinking = block["type"] === "thinking" && typeof thinking === "string";
    this.#collector = new BlockCollector(isThinking ? { ...rest, thinking: "" } : block);
    // A block of a whole answer has its text from the start.
    if (isThinking && thinking !== "") this.literal("reasoning", literalOf(thinking));
  }

  literal(kind: LiteralKind, literal: string): boolean {
    if (kind !== "reasoning") return false;
    if (this.#summaries) {
      if (this.#thinking.isEmpty) {
        this.#tell("response.reasoning_summary_part.added", { part: { type: "summary_text", text: "" } });
      }
      this.#list.sink.delta(this.#deltaKind, literal);
    }
    this.#thinking.add(literal);
    return true;
  }

  delta(delta: JsonObject): void {
    const { type, thinking } = delta;
    if (type !== "thinking_delta") this.#collector.add(delta);
    else if (typeof thinking === "string" && thinking !== "") this.literal("reasoning", literalOf(thinking));
  }

  endBlock(): void {
    const text = this.#thinking.value();
    if (text !== "") this.#collector.add({ type: "thinking_delta", thinking: text });
    this.#item.fields["encrypted_content"] = carryBlocks([this.#collector.block]);
    if (text === "" || !this.#summaries) return;
    const part = { type: "summary_text", text };
    this.#tell("response.reasoning_summary_text.done", { text });
    this.#tell("response.reasoning_summary_part.done", { part });
    this.#item.fields["summary"] = [part];
  }

  close(status: ItemStatus): void {
    this.#item.fields["status"] = status;
    this.#list.done(this.#item);
  }

  #tell(type: string, fields: JsonObject): void {
    this.#list.tell(this.#item, type, { summary_index: 0, ...fields });
  }
}

/** Writes a reasoning item that does nothing but bring blocks back in the next turn. */
export function writeCarrier(list: OutputList, blocks: readonly JsonObject[]): void {
  const item = list.add("rs", { type: "reasoning", summary: [], status: "in_progress" });
  item.fields["encrypted_content"] = carryBlocks(blocks);
  item.fields["status"] = "completed";
  list.done(item);
}
