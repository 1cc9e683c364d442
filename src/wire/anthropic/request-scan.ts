import { isUtf8 } from "node:buffer";

import { WeirError } from "../../core/weir-error.ts";

/** What the gateway needs to know of a Messages request. The body itself is forwarded as it came. */
export interface ScannedRequest {
  readonly model: string;
  /** Byte offsets of the JSON text of `model`'s value, quotes included, so that it can be replaced by a splice. */
  readonly modelStart: number;
  readonly modelEnd: number;
  readonly stream: boolean;
  /** 0 when absent (count_tokens has none). */
  readonly maxTokens: number;
  /** Asks for one-hour cache writes somewhere. */
  readonly longCacheWrites: boolean;
  readonly fast: boolean;
  readonly inferenceGeo: string | null;
}

export interface ScanLimits {
  readonly maxDepth: number;
  /** Endpoint needs `max_tokens` (messages does, count_tokens does not). */
  readonly requireMaxTokens: boolean;
}

/**
 * Validates a body completely (UTF-8, JSON, depth, no duplicate top-level keys, types of the fields that Weir reads) and
 * finds what Weir needs. Throws WeirError with the field's name.
 *
 * It reads the bytes as Latin-1, one character a byte: native, no copy to two-byte strings, and string offsets are byte
 * offsets. Structure characters are ASCII and no UTF-8 continuation byte is, so JSON parsed that way is valid exactly when
 * the UTF-8 text is.
 */
export function scanRequest(body: Buffer, limits: ScanLimits): ScannedRequest {
  if (!isUtf8(body)) throw new WeirError("weir:request:bad_encoding", "The request body is not valid UTF-8.");
  const text = body.toString("latin1");
  // Before it is parsed: a document that is nested too deeply is never built.
  const span = scanTopLevel(text, limits.maxDepth);
  const fields = parseObject(text);
  const model = requiredModel(fields["model"], body, span);
  const stream = optionalBoolean(fields, "stream");
  const maxTokens = limits.requireMaxTokens ? requiredMaxTokens(fields["max_tokens"]) : 0;
  requireMessages(fields["messages"]);
  return {
    ...model,
    stream,
    maxTokens,
    longCacheWrites: mentionsOneHour(text),
    fast: fields["speed"] === "fast",
    inferenceGeo: typeof fields["inference_geo"] === "string" ? fields["inference_geo"] : null,
  };
}

/**
 * Whether `"1h"` may stand anywhere, also with its 1 or its h escaped: a forecast may err upwards, never downwards. No search
 * begins with a quote or a backslash: it would stop at every one of the text, and cost ten times as much.
 */
function mentionsOneHour(text: string): boolean {
  if (text.includes('1h"') && text.includes('"1h"')) return true;
  return text.includes("u00") && (text.includes("u0031") || text.includes("u0068"));
}

type Fields = Readonly<Record<string, unknown>>;

function parseObject(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new WeirError("weir:request:malformed_json", `The request body is not valid JSON${where(error)}.`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new WeirError("weir:request:malformed_json", "The request body must be a JSON object.");
  }
  return value as Fields; // narrowed by the three checks above
}

/** The position in V8's message, without the excerpt of the body that it may quote. */
function where(error: unknown): string {
  const position = /at position (\d+)/.exec(error instanceof Error ? error.message : "");
  return position === null ? "" : ` (at byte ${position[1]})`;
}

function requiredModel(value: unknown, body: Buffer, span: Span | null): ModelField {
  if (value === undefined || value === null || value === "") {
    throw new WeirError("weir:request:invalid_field", "model is required");
  }
  if (typeof value !== "string") throw new WeirError("weir:request:invalid_field", "model must be a string");
  if (span === null) throw new WeirError("weir:request:invalid_field", "model is required");
  if (value.length > 512) throw new WeirError("weir:request:invalid_field", "model must be at most 512 characters");
  const model: unknown = JSON.parse(body.toString("utf8", span.start, span.end));
  return { model: String(model), modelStart: span.start, modelEnd: span.end };
}

interface ModelField {
  readonly model: string;
  readonly modelStart: number;
  readonly modelEnd: number;
}

function optionalBoolean(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (value === undefined || value === null) return false;
  if (typeof value !== "boolean") throw new WeirError("weir:request:invalid_field", `${name} must be a boolean`);
  return value;
}

function requiredMaxTokens(value: unknown): number {
  if (value === undefined) throw new WeirError("weir:request:invalid_field", "max_tokens: Field required");
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw new WeirError("weir:request:invalid_field", "max_tokens must be a non-negative integer");
  }
  return value;
}

function requireMessages(value: unknown): void {
  if (value === undefined) throw new WeirError("weir:request:invalid_field", "messages: Field required");
  if (!Array.isArray(value)) throw new WeirError("weir:request:invalid_field", "messages must be an array");
}

interface Span {
  readonly start: number;
  readonly end: number;
}

const QUOTE = 34;
const BACKSLASH = 92;

/**
 * Walks a JSON object once: finds where the value of `model` lies, refuses duplicate top-level keys (two parsers may
 * disagree which one counts, and a policy must see what the upstream sees) and nesting beyond `maxDepth`. What it makes of
 * a text that is no JSON object does not matter, as long as it ends: parsing refuses that text afterwards.
 */
function scanTopLevel(text: string, maxDepth: number): Span | null {
  const keys = new Set<string>();
  let model: Span | null = null;
  let depth = 0;
  let isObject = false;
  let expectKey = false;
  /** Where the value of `model` began, while the walk is in it. */
  let modelStart = -1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      const start = i;
      const end = endOfString(text, start);
      i = end - 1;
      if (depth !== 1 || !expectKey) continue;
      const key = newKey(keys, keyText(text, start, end));
      expectKey = false;
      i = text.indexOf(":", end);
      if (i < 0) return null;
      if (key === "model") modelStart = i + 1;
    } else if (code === 123 || code === 91) {
      if (++depth > maxDepth) {
        throw new WeirError("weir:request:invalid_field", `The request is nested deeper than ${maxDepth} levels.`);
      }
      if (depth === 1) isObject = code === 123;
      expectKey = depth === 1 && isObject;
    } else if (code === 125 || code === 93 || code === 44) {
      if (depth === 1) {
        if (modelStart >= 0) model = trimmed(text, modelStart, i);
        modelStart = -1;
        expectKey = isObject;
      }
      if (code !== 44) depth--;
    }
  }
  return model;
}

function newKey(keys: Set<string>, key: string): string {
  if (keys.has(key)) {
    throw new WeirError("weir:request:invalid_field", `The key ${JSON.stringify(key)} appears twice in the request.`);
  }
  keys.add(key);
  return key;
}

/** The offset after the closing quote of the string that opens at `start`; the end of the text when it does not close. */
function endOfString(text: string, start: number): number {
  let quote = start;
  for (;;) {
    quote = text.indexOf('"', quote + 1);
    if (quote < 0) return text.length;
    let before = quote - 1;
    while (text.charCodeAt(before) === BACKSLASH) before--;
    if (((quote - 1 - before) & 1) === 0) return quote + 1;
  }
}

function keyText(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end - 1);
  if (!/[\\\u0080-\u00ff]/.test(raw)) return raw;
  try {
    return String(JSON.parse(Buffer.from(text.slice(start, end), "latin1").toString("utf8")));
  } catch {
    return raw;
  }
}

function trimmed(text: string, start: number, end: number): Span {
  let from = start;
  let to = end;
  while (text.charCodeAt(from) <= 32) from++;
  while (text.charCodeAt(to - 1) <= 32) to--;
  return { start: from, end: to };
}
