import type { WireWarning } from "../codec.ts";
import { blockOfFile, imageBlockOfUrl } from "../openai/attachments.ts";
import {
  type JsonObject,
  type JsonRecord,
  expected,
  invalidField,
  isObject,
  objectAt,
  requiredObject,
  requiredString,
  unsupportedField,
} from "../openai/json-reader.ts";

/** What reading one request gathers besides its messages. */
export interface Gathered {
  readonly warnings: WireWarning[];
  readonly betas: Set<string>;
}

/** Files by id are a beta of Messages. */
const FILES_BETA = "files-api-2025-04-14";

/** A message's `content` as blocks: a string is one text block; empty texts, which Messages refuses, are left away. */
export function blocksOf(content: unknown, path: string, gathered: Gathered): JsonRecord[] {
  if (content === undefined || content === null) return [];
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  if (!Array.isArray(content)) throw expected("a string or an array of parts", content, path);
  const blocks: JsonRecord[] = [];
  for (let i = 0; i < content.length; i++) {
    const at = `${path}[${i}]`;
    const block = blockOf(objectAt(content[i], at), at, gathered);
    if (block["type"] !== "text" || block["text"] !== "") blocks.push(block);
  }
  return blocks;
}

function blockOf(part: JsonObject, path: string, gathered: Gathered): JsonRecord {
  return { ...bareBlock(part, path, gathered), ...cacheControl(part) };
}

function bareBlock(part: JsonObject, path: string, gathered: Gathered): JsonRecord {
  switch (part["type"]) {
    case "text":
      return { type: "text", text: requiredString(part, "text", path) };
    case "refusal":
      return { type: "text", text: requiredString(part, "refusal", path) };
    case "image_url":
      return imageBlock(part, path, gathered);
    case "file": {
      const block = blockOfFile(requiredObject(part, "file", path), `${path}.file`);
      if (isObject(block["source"]) && block["source"]["type"] === "file") gathered.betas.add(FILES_BETA);
      const { citations, context } = part;
      return {
        ...block,
        ...(citations === undefined ? {} : { citations }),
        ...(context === undefined ? {} : { context }),
      };
    }
    case "input_audio":
      throw unsupportedField(path, "audio input is not taken by Messages");
    case undefined:
      throw invalidField(`${path}.type`, "required, expected a string");
    default:
      // A block in Messages' own shape (`document`, `search_result`, `image`, …): the upstream judges it.
      return { ...part };
  }
}

function imageBlock(part: JsonObject, path: string, { warnings }: Gathered): JsonRecord {
  // Some clients send the URL itself instead of an object.
  if (typeof part["image_url"] === "string") return imageBlockOfUrl(part["image_url"], `${path}.image_url`);
  const image = requiredObject(part, "image_url", path);
  if (image["detail"] !== undefined && image["detail"] !== "auto") {
    warnings.push({ field: `${path}.image_url.detail`, message: "is not known to Messages and was left out" });
  }
  return imageBlockOfUrl(requiredString(image, "url", `${path}.image_url`), `${path}.image_url.url`);
}

/**
 * `cache_control` as Messages has it, or OpenAI's explicit breakpoint. The latter's lifetimes are 30 minutes and 12 hours;
 * the nearest that does not end earlier than the shorter is one hour.
 */
function cacheControl(part: JsonObject): JsonRecord {
  if (part["cache_control"] !== undefined) return { cache_control: part["cache_control"] };
  const breakpoint = part["prompt_cache_breakpoint"];
  if (!isObject(breakpoint)) return {};
  const ttl = breakpoint["ttl"] === undefined ? {} : { ttl: "1h" };
  return { cache_control: { type: "ephemeral", ...ttl } };
}
