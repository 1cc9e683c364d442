import type { JsonObject, JsonRecord } from "../../openai/json-reader.ts";
import { literalOf } from "../literal-text.ts";
import type { DeltaKind, EventSink } from "../response-events.ts";

export type LiteralKind = "text" | "arguments" | "reasoning";

export type ItemStatus = "completed" | "incomplete";

/** An item that the client has been told of. */
export interface OutputItem {
  readonly id: string;
  readonly index: number;
  /** Its members as they stand; changed in place until it is done. */
  readonly fields: JsonRecord;
}

/** Writes what becomes of one item. A block may fill it alone or with others. */
export interface ItemWriter {
  /** Takes a piece of its text as JSON text, one character a byte; false when it must be told by `delta`. */
  literal(kind: LiteralKind, literal: string): boolean;
  /** Takes a delta of the block that is being written. */
  delta(delta: JsonObject): void;
  /** The block is complete; how the item ends may not be known yet. */
  endBlock(): void;
  /** The item is complete. */
  close(status: ItemStatus): void;
}

/** The items of one answer in their order. Ids are made of the answer's id and the item's place, so they repeat. */
export class OutputList {
  readonly sink: EventSink;
  readonly #items: JsonRecord[] = [];
  readonly #idSuffix: string;

  constructor(sink: EventSink, messageId: string) {
    this.sink = sink;
    this.#idSuffix = messageId.replace(/^msg_/, "");
  }

  get items(): readonly JsonRecord[] {
    return this.#items;
  }

  /** Appends an item and tells the client; `id` overrides the one that is made of `prefix`. */
  add(prefix: string, fields: JsonRecord, id?: string): OutputItem {
    const index = this.#items.length;
    const ownId = id ?? `${prefix}_${this.#idSuffix}_${index}`;
    const item = { id: ownId, index, fields: { id: ownId, ...fields } };
    this.#items.push(item.fields);
    this.sink.event("response.output_item.added", { output_index: index, item: item.fields });
    return item;
  }

  done(item: OutputItem): void {
    this.sink.event("response.output_item.done", { output_index: item.index, item: item.fields });
  }

  /** An event about an item. */
  tell(item: OutputItem, type: string, fields: JsonObject = {}): void {
    this.sink.event(type, { item_id: item.id, output_index: item.index, ...fields });
  }

  /** What the deltas of an item, or of one of its parts, have in common. */
  deltaKind(item: OutputItem, type: string, fields: JsonObject = {}): DeltaKind {
    const members = literalOf({ item_id: item.id, output_index: item.index, ...fields });
    return { type, members: `${members.slice(1, -1)},` };
  }
}
