import { isObject, objectsOf, textOf, type JsonObject } from "./json-value.ts";
import type { CacheTtl, MessageRequest, Turn } from "./message-request.ts";
import { estimateTokens } from "./tokens.ts";

/** One block of the prompt in the order in which the service processes them: tools, system, messages. */
export interface PromptBlock {
  readonly section: "tools" | "system" | "messages";
  /** Role of the turn that holds the block; null outside messages. */
  readonly role: Turn["role"] | null;
  readonly content: JsonObject;
  readonly tokens: number;
  /** TTL of the cache breakpoint on this block; null for none. */
  readonly cacheTtl: CacheTtl | null;
}

/** Size in bytes of an uploaded file, for the blocks that refer to one; null when there is no such file. */
export type FileSize = (fileId: string) => number | null;

/** Tokens of the instructions that the service adds when tools are offered (published: 346 for most models). */
const TOOLS_PREAMBLE_TOKENS = 346;
const TURN_TOKENS = 4;
const BLOCK_TOKENS = 8;
/** A picture of about a megapixel; the size of an image is not looked at. */
const IMAGE_TOKENS = 1_500;
/** A page of a PDF is about 50 kB and 2,000 tokens. */
const PDF_BYTES_PER_TOKEN = 25;
/** The attribution block that Claude Code puts first; the service takes it off before it does anything else. */
const ATTRIBUTION = /^x-anthropic-billing-header:/;

/** The prompt of a request as a list of blocks with estimated tokens and cache breakpoints. */
export function promptBlocks(request: MessageRequest, fileSize: FileSize = () => null): readonly PromptBlock[] {
  const blocks: PromptBlock[] = [];
  request.tools.forEach((tool, index) => {
    const tokens = toolTokens(tool) + (index === 0 ? TOOLS_PREAMBLE_TOKENS : 0);
    blocks.push({ section: "tools", role: null, content: tool, tokens, cacheTtl: ttlOf(tool) });
  });
  request.system.forEach((block, index) => {
    if (index === 0 && ATTRIBUTION.test(textOf(block, "text"))) return;
    blocks.push({ section: "system", role: null, content: block, tokens: textTokens(block), cacheTtl: ttlOf(block) });
  });
  for (const turn of request.turns) {
    turn.blocks.forEach((block, index) => {
      const tokens = blockTokens(block, fileSize) + (index === 0 ? TURN_TOKENS : 0);
      blocks.push({ section: "messages", role: turn.role, content: block, tokens, cacheTtl: ttlOf(block) });
    });
  }
  return request.automaticCacheTtl === null ? blocks : markLast(blocks, request.automaticCacheTtl);
}

/** All tokens of a prompt. */
export function totalTokens(blocks: readonly PromptBlock[]): number {
  let sum = 0;
  for (const block of blocks) sum += block.tokens;
  return sum;
}

/** Estimated tokens of one content block of a turn. */
function blockTokens(block: JsonObject, fileSize: FileSize): number {
  switch (block["type"]) {
    case "text":
      return textTokens(block);
    case "thinking":
      return estimateTokens(textOf(block, "thinking"));
    case "image":
      return IMAGE_TOKENS;
    case "document":
    case "container_upload":
      return documentTokens(block, fileSize);
    case "tool_result":
      return BLOCK_TOKENS + resultTokens(block["content"], fileSize);
    case "tool_use":
      return BLOCK_TOKENS + estimateTokens(textOf(block, "name") + JSON.stringify(block["input"] ?? {}));
    default:
      return estimateTokens(JSON.stringify(block));
  }
}

function textTokens(block: JsonObject): number {
  return estimateTokens(textOf(block, "text"));
}

function toolTokens(tool: JsonObject): number {
  const { cache_control: _, ...definition } = tool;
  return estimateTokens(JSON.stringify(definition));
}

function resultTokens(content: unknown, fileSize: FileSize): number {
  if (typeof content === "string") return estimateTokens(content);
  let sum = 0;
  for (const block of objectsOf(content)) sum += blockTokens(block, fileSize);
  return sum;
}

function documentTokens(block: JsonObject, fileSize: FileSize): number {
  const source = block["source"];
  if (!isObject(source)) return IMAGE_TOKENS;
  const fileId = textOf(source, "file_id");
  if (fileId !== "") return Math.max(BLOCK_TOKENS, Math.ceil((fileSize(fileId) ?? 0) / PDF_BYTES_PER_TOKEN));
  if (source["type"] === "text") return estimateTokens(textOf(source, "data"));
  if (source["type"] === "base64") return Math.ceil((textOf(source, "data").length * 0.75) / PDF_BYTES_PER_TOKEN);
  return IMAGE_TOKENS;
}

function ttlOf(block: JsonObject): CacheTtl | null {
  const control = block["cache_control"];
  if (!isObject(control)) return null;
  return control["ttl"] === "1h" ? "1h" : "5m";
}

/** Automatic caching: the breakpoint is on the last block that may carry one. */
function markLast(blocks: PromptBlock[], ttl: CacheTtl): PromptBlock[] {
  const at = blocks.findLastIndex((block) => !String(block.content["type"]).includes("thinking"));
  return blocks.map((block, index) => (index === at && block.cacheTtl === null ? { ...block, cacheTtl: ttl } : block));
}
