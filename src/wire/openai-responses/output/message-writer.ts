import type { JsonObject, JsonRecord } from "../../openai/json-reader.ts";
import { literalOf, LiteralText } from "../literal-text.ts";
import type { DeltaKind } from "../response-events.ts";
import { annotationsOf } from "./annotations.ts";
import { BlockCollector } from "./block-collector.ts";
import type { ItemStatus, ItemWriter, LiteralKind, OutputItem, OutputList } from "./output-list.ts";

/** Writes a message: one part for each text block that follows another without anything between them. */
export class MessageWriter implements ItemWriter {
  readonly #list: OutputList;
  readonly #item: OutputItem;
  readonly #parts: JsonRecord[] = [];
  #collector: BlockCollector | null = null;
  #text = new LiteralText();
  #deltaKind: DeltaKind;

  constructor(list: OutputList) {
    this.#list = list;
    this.#item = list.add("msg", { type: "message", status: "in_progress", role: "assistant", content: [] });
    this.#item.fields["content"] = this.#parts;
    this.#deltaKind = this.#nextDeltaKind();
  }

  /** Begins the part of a text block. */
  begin(block: JsonObject): void {
    const { text } = block;
    this.#collector = new BlockCollector(block);
    this.#text = new LiteralText();
    this.#deltaKind = this.#nextDeltaKind();
    this.#part("response.content_part.added", textPart("", []));
    // A block of a whole answer has its text from the start.
    if (typeof text === "string" && text !== "") this.literal("text", literalOf(text));
  }

  literal(kind: LiteralKind, literal: string): boolean {
    if (kind !== "text") return false;
    this.#text.add(literal);
    this.#list.sink.delta(this.#deltaKind, literal);
    return true;
  }

  delta(delta: JsonObject): void {
    if (delta["type"] !== "text_delta") this.#collector?.add(delta);
    else if (typeof delta["text"] === "string") this.literal("text", literalOf(delta["text"]));
  }

  endBlock(): void {
    const text = this.#text.value();
    const annotations = annotationsOf(this.#collector?.block["citations"], text);
    for (const [index, annotation] of annotations.entries()) {
      this.#tellPart("response.output_text.annotation.added", { annotation_index: index, annotation });
    }
    this.#tellPart("response.output_text.done", { text, logprobs: [] });
    this.#part("response.content_part.done", textPart(text, annotations));
    this.#parts.push(textPart(text, annotations));
    this.#collector = null;
  }

  /** Adds a part that says why the model declined. */
  refuse(refusal: string): void {
    this.#part("response.content_part.added", { type: "refusal", refusal: "" });
    this.#tellPart("response.refusal.delta", { delta: refusal });
    this.#tellPart("response.refusal.done", { refusal });
    this.#part("response.content_part.done", { type: "refusal", refusal });
    this.#parts.push({ type: "refusal", refusal });
  }

  close(status: ItemStatus): void {
    this.#item.fields["status"] = status;
    this.#list.done(this.#item);
  }

  #nextDeltaKind(): DeltaKind {
    const fields = { content_index: this.#parts.length, logprobs: [] };
    return this.#list.deltaKind(this.#item, "response.output_text.delta", fields);
  }

  #part(type: string, part: JsonRecord): void {
    this.#tellPart(type, { part });
  }

  #tellPart(type: string, fields: JsonRecord): void {
    this.#list.tell(this.#item, type, { content_index: this.#parts.length, ...fields });
  }
}

function textPart(text: string, annotations: readonly JsonRecord[]): JsonRecord {
  return { type: "output_text", text, annotations, logprobs: [] };
}
