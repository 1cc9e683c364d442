import { WeirError } from "../../core/weir-error.ts";
import { scanJson, type Member } from "../json/json-scan.ts";

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
  /** Whether it may name uploaded files; errs only towards true. */
  readonly mentionsFiles: boolean;
  /** Whether it may hold thinking that another model than Claude gave, which Weir marks; errs only towards true. */
  readonly mentionsForeignThinking: boolean;
  /** The members of the top-level object in their order, so that another format can be cut out of the same bytes. */
  readonly members: readonly Member[];
}

export interface ScanLimits {
  readonly maxDepth: number;
  /** Endpoint needs `max_tokens` (messages does, count_tokens does not). */
  readonly requireMaxTokens: boolean;
}

/**
 * Validates a body completely (UTF-8, JSON, depth, no duplicate top-level keys, types of the fields that Weir reads) and
 * finds what Weir needs. Of the document only these few fields are built. Throws WeirError with the field's name.
 */
export function scanRequest(body: Buffer, limits: ScanLimits): ScannedRequest {
  const { members, mentionsOneHour, mentionsFiles, mentionsWeir } = scanJson(body, limits.maxDepth);
  const fields = new Fields(body, members);
  requireMessages(fields);
  return {
    ...requiredModel(fields),
    stream: optionalBoolean(fields, "stream"),
    maxTokens: limits.requireMaxTokens ? requiredMaxTokens(fields) : 0,
    longCacheWrites: mentionsOneHour,
    mentionsFiles,
    mentionsForeignThinking: mentionsWeir,
    fast: fields.shortValue("speed") === "fast",
    inferenceGeo: optionalString(fields, "inference_geo"),
    members,
  };
}

/** A field that Weir reads is never longer than this; what is longer is of the wrong type or refused for its length. */
const MAX_FIELD_BYTES = 4_096;

/** The members of a request, each parsed when it is asked for. */
class Fields {
  readonly #body: Buffer;
  readonly #members: readonly Member[];

  constructor(body: Buffer, members: readonly Member[]) {
    this.#body = body;
    this.#members = members;
  }

  member(key: string): Member | undefined {
    for (const member of this.#members) if (member.key === key) return member;
    return undefined;
  }

  /** The value of a field that is expected to be short: undefined when it is absent, an empty object when it is long. */
  shortValue(key: string): unknown {
    const member = this.member(key);
    if (member === undefined) return undefined;
    const { valueStart, valueEnd } = member;
    return valueEnd - valueStart > MAX_FIELD_BYTES ? {} : JSON.parse(this.#body.toString("utf8", valueStart, valueEnd));
  }

  /** The first byte of the value, which tells its type; 0 when it is absent. */
  firstByte(key: string): number {
    const member = this.member(key);
    return member === undefined ? 0 : (this.#body[member.valueStart] ?? 0);
  }
}

interface ModelField {
  readonly model: string;
  readonly modelStart: number;
  readonly modelEnd: number;
}

function requiredModel(fields: Fields): ModelField {
  const member = fields.member("model");
  const model = fields.shortValue("model");
  if (member === undefined || model === undefined || model === null || model === "") {
    throw new WeirError("weir:request:invalid_field", "model is required");
  }
  const { valueStart, valueEnd } = member;
  if (fields.firstByte("model") !== QUOTE) {
    throw new WeirError("weir:request:invalid_field", "model must be a string");
  }
  if (typeof model !== "string" || model.length > 512) {
    throw new WeirError("weir:request:invalid_field", "model must be at most 512 characters");
  }
  return { model, modelStart: valueStart, modelEnd: valueEnd };
}

function optionalBoolean(fields: Fields, name: string): boolean {
  const value = fields.shortValue(name);
  if (value === undefined || value === null) return false;
  if (typeof value !== "boolean") throw new WeirError("weir:request:invalid_field", `${name} must be a boolean`);
  return value;
}

function optionalString(fields: Fields, name: string): string | null {
  const value = fields.shortValue(name);
  return typeof value === "string" ? value : null;
}

function requiredMaxTokens(fields: Fields): number {
  const value = fields.shortValue("max_tokens");
  if (value === undefined) throw new WeirError("weir:request:invalid_field", "max_tokens: Field required");
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw new WeirError("weir:request:invalid_field", "max_tokens must be a non-negative integer");
  }
  return value;
}

/** The conversation itself is the upstream's to judge. */
function requireMessages(fields: Fields): void {
  const first = fields.firstByte("messages");
  if (first === 0) throw new WeirError("weir:request:invalid_field", "messages: Field required");
  if (first !== BRACKET) throw new WeirError("weir:request:invalid_field", "messages must be an array");
}

const QUOTE = 34;
const BRACKET = 91;
