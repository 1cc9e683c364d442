import { attachmentOf, urlOfImageSource } from "../../openai/attachments.ts";
import {
  isObject,
  type JsonObject,
  type JsonRecord,
  objectAt,
  pathOf,
  unsupportedField,
} from "../../openai/json-reader.ts";

/** The parts of a user's content, or of a tool's result. Throws WeirError for a block that Responses has no part for. */
export function partsOfContent(content: unknown, path: string): JsonRecord[] {
  if (typeof content === "string") return content === "" ? [] : [textPart(content)];
  if (!Array.isArray(content)) return [];
  return content.flatMap((block, index) => partsOfBlock(objectAt(block, `${path}[${index}]`), `${path}[${index}]`));
}

/** The parts of one block. */
export function partsOfBlock(block: JsonObject, path: string): JsonRecord[] {
  switch (block["type"]) {
    case "text":
      return block["text"] === "" ? [] : [textPart(String(block["text"]))];
    case "image":
      return [imagePart(block, path)];
    case "document":
      refuseCitations(block, path);
      return [...contextPart(block), ...documentParts(block, path)];
    case "search_result":
      refuseCitations(block, path);
      return [textPart(searchResultText(block))];
    default:
      throw unsupportedField(path, `content of type ${String(block["type"])} has no counterpart in Responses`);
  }
}

/** What an answer cites of a document nobody but Claude tells. */
function refuseCitations({ citations }: JsonObject, path: string): void {
  if (!isObject(citations) || citations["enabled"] !== true) return;
  throw unsupportedField(pathOf(path, "citations"), "citations are not given by other models; leave them off");
}

/** What a document's context says of it, which is no part of the document. */
function contextPart({ context }: JsonObject): JsonRecord[] {
  return typeof context === "string" && context !== "" ? [textPart(context)] : [];
}

function textPart(text: string): JsonRecord {
  return { type: "input_text", text };
}

function imagePart(block: JsonObject, path: string): JsonRecord {
  const url = urlOfImageSource(block["source"], path);
  if (url !== null) return { type: "input_image", detail: "auto", image_url: url };
  const source = isObject(block["source"]) ? block["source"] : {};
  return { type: "input_image", detail: "auto", file_id: source["file_id"] };
}

function documentParts(block: JsonObject, path: string): JsonRecord[] {
  const attachment = attachmentOf(block, path);
  const { kind } = attachment;
  if (kind === "text") return [textPart(titled(attachment.title, attachment.text))];
  if (kind === "file") return [{ type: "input_file", file_id: attachment.fileId }];
  if (kind === "url") return [{ type: "input_file", file_url: attachment.url }];
  if (kind === "content") return contentParts(attachment, path);
  return [{ type: "input_file", filename: attachment.filename, file_data: attachment.dataUrl }];
}

function contentParts(
  { title, content }: { title: string | null; content: readonly unknown[] },
  path: string,
): JsonRecord[] {
  const parts = partsOfContent(content, pathOf(path, "source.content"));
  return title === null ? parts : [textPart(title), ...parts];
}

function titled(title: string | null, text: string): string {
  return title === null ? text : `${title}\n\n${text}`;
}

function searchResultText(block: JsonObject): string {
  const { title, source, content } = block;
  const texts = Array.isArray(content) ? content.filter(isObject).map(({ text }) => String(text)) : [];
  return [title, source, ...texts].filter((part) => typeof part === "string" && part !== "").join("\n");
}
