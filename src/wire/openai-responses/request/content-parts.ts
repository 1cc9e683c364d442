import type { WireWarning } from "../../codec.ts";
import { blockOfFile, imageBlockOfUrl } from "../../openai/attachments.ts";
import {
  expected,
  invalidField,
  type JsonObject,
  type JsonRecord,
  objectAt,
  optionalString,
  pathOf,
  requiredString,
  unsupportedField,
} from "../../openai/json-reader.ts";
import { cacheMark } from "./cache-marks.ts";

/** The blocks of a content: a text, or a list of parts. Empty texts make none, Messages refuses them. */
export function blocksOfContent(content: unknown, path: string, warnings: WireWarning[]): JsonRecord[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  if (!Array.isArray(content)) throw expected("a string or an array", content, path);
  const blocks: JsonRecord[] = [];
  for (const [index, value] of content.entries()) {
    const partPath = `${path}[${index}]`;
    const part = objectAt(value, partPath);
    const block = blockOfPart(part, partPath, warnings);
    if (block !== null) blocks.push({ ...block, ...cacheMark(part, partPath, warnings) });
  }
  return blocks;
}

/** Blocks of a content that may have nothing but text. */
export function textBlocksOfContent(content: unknown, path: string, warnings: WireWarning[]): JsonRecord[] {
  const blocks = blocksOfContent(content, path, warnings);
  const other = blocks.find(({ type }) => type !== "text");
  if (other !== undefined) {
    throw unsupportedField(path, `Messages takes only text from this role, not ${String(other["type"])}`);
  }
  return blocks;
}

function blockOfPart(part: JsonObject, path: string, warnings: WireWarning[]): JsonRecord | null {
  const type = requiredString(part, "type", path);
  switch (type) {
    case "input_text":
    case "output_text":
    case "text":
      return textBlock(requiredString(part, "text", path));
    case "refusal":
      return textBlock(requiredString(part, "refusal", path));
    case "input_image":
      return imageBlock(part, path, warnings);
    case "input_file":
      warnOfDetail(part, path, warnings);
      return blockOfFile(part, path);
    default:
      throw unsupportedField(path, `content of type ${type} has no counterpart in Messages`);
  }
}

function textBlock(text: string): JsonRecord | null {
  return text === "" ? null : { type: "text", text };
}

function imageBlock(part: JsonObject, path: string, warnings: WireWarning[]): JsonRecord {
  warnOfDetail(part, path, warnings);
  const url = optionalString(part, "image_url", path);
  if (url !== undefined) return imageBlockOfUrl(url, pathOf(path, "image_url"));
  const fileId = optionalString(part, "file_id", path);
  if (fileId === undefined) throw invalidField(path, "expected image_url or file_id");
  return { type: "image", source: { type: "file", file_id: fileId } };
}

function warnOfDetail(part: JsonObject, path: string, warnings: WireWarning[]): void {
  const detail = optionalString(part, "detail", path);
  if (detail === undefined || detail === "auto") return;
  warnings.push({ field: pathOf(path, "detail"), message: "is not known to Messages and was left out" });
}
