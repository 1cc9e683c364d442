import type { JsonObject } from "../../openai/json-reader.ts";
import { argumentsOfInput } from "../../openai/tools.ts";
import { literalOf, LiteralText } from "../literal-text.ts";
import type { DeltaKind } from "../response-events.ts";
import { BlockCollector, inputFields, inputJson } from "./block-collector.ts";
import type { ItemStatus, ItemWriter, LiteralKind, OutputItem, OutputList } from "./output-list.ts";

/** Writes the call of a function: its arguments go out piece by piece, as JSON text, however the pieces are cut. */
export class FunctionCallWriter implements ItemWriter {
  readonly #list: OutputList;
  readonly #item: OutputItem;
  readonly #block: JsonObject;
  readonly #arguments = new LiteralText();
  readonly #deltaKind: DeltaKind;

  constructor(list: OutputList, block: JsonObject) {
    this.#list = list;
    this.#block = block;
    this.#item = list.add("fc", {
      type: "function_call",
      status: "in_progress",
      arguments: "",
      call_id: block["id"],
      name: block["name"],
    });
    this.#deltaKind = list.deltaKind(this.#item, "response.function_call_arguments.delta");
  }

  literal(kind: LiteralKind, literal: string): boolean {
    if (kind !== "arguments") return false;
    if (literal.length === 2) return true;
    this.#arguments.add(literal);
    this.#list.sink.delta(this.#deltaKind, literal);
    return true;
  }

  delta(delta: JsonObject): void {
    const { type, partial_json: piece } = delta;
    if (type === "input_json_delta" && typeof piece === "string") this.literal("arguments", literalOf(piece));
  }

  endBlock(): void {
    // Without deltas the input came whole, or there is none: who puts deltas together must get it all the same.
    if (this.#arguments.isEmpty) this.literal("arguments", literalOf(argumentsOfInput(this.#block["input"])));
    const text = this.#arguments.value();
    this.#item.fields["arguments"] = text;
    const { name } = this.#item.fields;
    this.#list.tell(this.#item, "response.function_call_arguments.done", { name, arguments: text });
  }

  close(status: ItemStatus): void {
    this.#item.fields["status"] = status;
    this.#list.done(this.#item);
  }
}

/** Writes the call of a tool that takes free text, which to the model is a tool with the one member `input`. */
export class CustomCallWriter implements ItemWriter {
  readonly #list: OutputList;
  readonly #item: OutputItem;
  readonly #collector: BlockCollector;

  constructor(list: OutputList, block: JsonObject) {
    this.#list = list;
    this.#collector = new BlockCollector(block);
    this.#item = list.add("ctc", {
      type: "custom_tool_call",
      status: "in_progress",
      input: "",
      call_id: block["id"],
      name: block["name"],
    });
  }

  literal(): boolean {
    return false;
  }

  delta(delta: JsonObject): void {
    this.#collector.add(delta);
  }

  endBlock(): void {
    const { input } = inputFields(this.#collector);
    // An input that was cut, or that is not the one member, goes out as it came rather than not at all.
    const text = typeof input === "string" ? input : inputJson(this.#collector);
    this.#item.fields["input"] = text;
    this.#list.tell(this.#item, "response.custom_tool_call_input.delta", { delta: text });
    this.#list.tell(this.#item, "response.custom_tool_call_input.done", { input: text });
  }

  close(status: ItemStatus): void {
    this.#item.fields["status"] = status;
    this.#list.done(this.#item);
  }
}
