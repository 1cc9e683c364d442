import { isObject, type JsonObject, type JsonRecord } from "../../openai/json-reader.ts";
import { argumentsOfInput } from "../../openai/tools.ts";

/** Puts a content block together from its start and its deltas, members and deltas that are not known included. */
export class BlockCollector {
  readonly #block: JsonRecord;
  #json = "";

  constructor(block: JsonObject) {
    this.#block = { ...block };
  }

  /** The JSON text of the input, as far as it came. */
  get json(): string {
    return this.#json;
  }

  add(delta: JsonObject): void {
    switch (delta["type"]) {
      case "input_json_delta":
        if (typeof delta["partial_json"] === "string") this.#json += delta["partial_json"];
        break;
      case "citations_delta":
        this.#block["citations"] = [...list(this.#block["citations"]), delta["citation"]];
        break;
      default:
        this.#merge(delta);
    }
  }

  /** The block; its input is that of the deltas when there were any and they are whole. */
  get block(): JsonObject {
    if (this.#json === "") return this.#block;
    try {
      return { ...this.#block, input: JSON.parse(this.#json) };
    } catch {
      return this.#block;
    }
  }

  /** Text, thinking, signature and what is to come: a text goes on, anything else replaces. */
  #merge(delta: JsonObject): void {
    for (const [key, value] of Object.entries(delta)) {
      if (key === "type") continue;
      const before = this.#block[key];
      this.#block[key] = typeof value === "string" && typeof before === "string" ? before + value : value;
    }
  }
}

/** The input of a block as JSON text: that of the deltas, else that of the block's start. */
export function inputJson(collector: BlockCollector): string {
  if (collector.json !== "") return collector.json;
  return argumentsOfInput(collector.block["input"]);
}

/** The members of a block's input; empty when it is cut or no object. */
export function inputFields(collector: BlockCollector): JsonObject {
  const { input } = collector.block;
  return isObject(input) ? input : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
