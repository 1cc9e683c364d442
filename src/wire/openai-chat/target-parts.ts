import type { WireWarning } from "../codec.ts";
import { attachmentOf, urlOfImageSource } from "../openai/attachments.ts";
import { type JsonObject, type JsonRecord, isObject, stringOf, unsupportedField } from "../openai/json-reader.ts";
import type { TargetRules } from "./target-rules.ts";

/** Warnings of one request, each field told once: a long conversation repeats itself. */
export class WarningList {
  readonly list: WireWarning[] = [];
  readonly #seen = new Set<string>();

  /** `kind` is what counts as the same warning. */
  once(kind: string, field: string, message: string): void {
    if (this.#seen.has(kind)) return;
    this.#seen.add(kind);
    this.list.push({ field, message });
  }
}

/** Makes Chat's content parts of Messages' blocks. */
export class PartWriter {
  readonly rules: TargetRules;
  readonly warnings: WarningList;

  constructor(rules: TargetRules, warnings: WarningList) {
    this.rules = rules;
    this.warnings = warnings;
  }

  /** `content` of a turn or of a tool result as a list of blocks. */
  blocks(content: unknown): readonly JsonObject[] {
    if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
    return Array.isArray(content) ? content.filter(isObject) : [];
  }

  /** The parts of one block: more than one for a document made of several. */
  parts(block: JsonObject, path: string): readonly JsonRecord[] {
    const parts = this.#bareParts(block, path);
    const last = parts.at(-1);
    if (last !== undefined) Object.assign(last, this.cacheControl(block, path));
    return parts;
  }

  /** `cache_control` for servers that know it; others cache by themselves, if at all. */
  cacheControl(block: JsonObject, path: string): JsonRecord {
    const value = block["cache_control"];
    if (value === undefined || value === null) return {};
    if (this.rules.claude) return { cache_control: value };
    const message = "is not known to this upstream, which caches by its own rules, and was left out";
    this.warnings.once("cache_control", path === "" ? "cache_control" : `${path}.cache_control`, message);
    return {};
  }

  #bareParts(block: JsonObject, path: string): JsonRecord[] {
    switch (block["type"]) {
      case "text":
        if (Array.isArray(block["citations"]) && block["citations"].length > 0) {
          this.warnings.once("citations", `${path}.citations`, "of earlier answers were left out");
        }
        return [{ type: "text", text: stringOf(block["text"]) }];
      case "image":
        return [this.#image(block, path)];
      case "document":
        return this.#document(block, path);
      case "search_result":
        return [this.#searchResult(block, path)];
      default:
        if (this.rules.claude) return [{ ...block }];
        throw unsupportedField(path, `blocks of type ${String(block["type"])} are not known to Chat Completions`);
    }
  }

  #image(block: JsonObject, path: string): JsonRecord {
    const url = urlOfImageSource(block["source"], path);
    if (url !== null) return { type: "image_url", image_url: { url } };
    if (this.rules.claude) return { ...block };
    throw unsupportedField(`${path}.source`, "a file uploaded to Anthropic is not known to this upstream");
  }

  #document(block: JsonObject, path: string): JsonRecord[] {
    const citations = block["citations"];
    const cited = isObject(citations) && citations["enabled"] === true;
    if (cited && !this.rules.claude) {
      throw unsupportedField(`${path}.citations`, "citations are not given by other models; leave them off");
    }
    if (this.rules.claude) return [claudeDocument(block, path)];
    const context = block["context"];
    const before = typeof context === "string" ? [{ type: "text", text: context }] : [];
    return [...before, ...this.#attachment(block, path)];
  }

  #attachment(block: JsonObject, path: string): JsonRecord[] {
    const attachment = attachmentOf(block, path);
    if (attachment.kind === "text") return [{ type: "text", text: titled(attachment.title, attachment.text) }];
    if (attachment.kind === "data") {
      const { filename, dataUrl } = attachment;
      return [{ type: "file", file: { filename, file_data: dataUrl } }];
    }
    if (attachment.kind === "content") {
      const inside = attachment.content.filter(isObject);
      return inside.flatMap((inner, i) => this.parts(inner, `${path}.source.content[${i}]`));
    }
    const problem =
      attachment.kind === "file"
        ? "a file uploaded to Anthropic is not known to this upstream"
        : "documents by URL are not known to Chat Completions; send the data";
    throw unsupportedField(`${path}.source`, problem);
  }

  #searchResult(block: JsonObject, path: string): JsonRecord {
    if (this.rules.claude) return { ...block };
    const text = this.blocks(block["content"]).map((inner) => stringOf(inner["text"]));
    this.warnings.once("search_result", path, "was sent as text: other models do not cite it");
    const heading = `${stringOf(block["title"])} (${stringOf(block["source"])})`;
    return { type: "text", text: titled(heading, text.join("\n")) };
  }
}

/**
 * A document for Claude behind a proxy: a PDF as Chat's file part, which they all know, with Messages' own members beside it;
 * other sources as the block that it is.
 */
function claudeDocument(block: JsonObject, path: string): JsonRecord {
  const attachment = attachmentOf(block, path);
  if (attachment.kind !== "data") return { ...block };
  const { source: _source, type: _type, title, cache_control: _cache, ...own } = block;
  const filename = typeof title === "string" ? { filename: title } : {};
  return { type: "file", file: { ...filename, file_data: attachment.dataUrl }, ...own };
}

function titled(title: string | null, text: string): string {
  return title === null ? text : `${title}\n\n${text}`;
}

/** One bare text is a string, which every server takes; else the parts. */
export function plainParts(parts: readonly JsonRecord[]): string | readonly JsonRecord[] {
  const [first] = parts;
  if (first === undefined) return "";
  const { type, text } = first;
  return parts.length === 1 && type === "text" && typeof text === "string" && Object.keys(first).length === 2
    ? text
    : parts;
}
