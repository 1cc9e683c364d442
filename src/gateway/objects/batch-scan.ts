import { isUtf8 } from "node:buffer";
import { setImmediate as nextTurn } from "node:timers/promises";

import { WeirError } from "../../core/weir-error.ts";
import { scanRequest, type ScannedRequest } from "../../wire/anthropic/request-scan.ts";
import { isJsonObject } from "./json-object.ts";
import { JsonSpans, type Member, type Span } from "../../wire/json/json-spans.ts";

/** One request of a batch. The offsets of `scan` count from `params.start`. */
export interface BatchRequest {
  readonly customId: string;
  /** Where its `params` lie in the body, in bytes. */
  readonly params: Span;
  readonly scan: ScannedRequest;
}

/** Bytes that are looked through before other work gets a turn. */
const SLICE_BYTES = 512 * 1024;
/** What stands around a request's `params`: the body, `requests`, the request. */
const OUTER_LEVELS = 3;

/**
 * Validates the body of a batch as `scanRequest` does that of a message (UTF-8, JSON, depth, no duplicate keys where Weir
 * reads, field types) and finds each request in it. Throws WeirError naming the field. Lets other work go on in between.
 *
 * Bytes are read as Latin-1, so that offsets in the text are offsets in the body; see scanRequest for why that is sound.
 */
export async function scanBatch(
  body: Buffer,
  { maxDepth }: { readonly maxDepth: number },
): Promise<readonly BatchRequest[]> {
  if (!isUtf8(body)) throw new WeirError("weir:request:bad_encoding", "The request body is not valid UTF-8.");
  const text = body.toString("latin1");
  checkShape(text);
  const spans = new JsonSpans(text, maxDepth + OUTER_LEVELS);
  const list = requestsOf(spans);
  const customIds = new Set<string>();
  const requests: BatchRequest[] = [];
  let sliceEnd = SLICE_BYTES;
  for (const item of spans.itemsOf(list.start)) {
    requests.push(readRequest(body, { text, spans, item, index: requests.length, maxDepth, customIds }));
    if (item.end > sliceEnd) {
      await nextTurn();
      sliceEnd = item.end + SLICE_BYTES;
    }
  }
  if (requests.length === 0) throw invalid("requests must have at least one entry");
  return requests;
}

/** Everything about one entry of `requests` while it is read. */
interface Reading {
  readonly text: string;
  readonly spans: JsonSpans;
  readonly item: Span;
  readonly index: number;
  readonly maxDepth: number;
  readonly customIds: Set<string>;
}

function readRequest(body: Buffer, reading: Reading): BatchRequest {
  const { text, spans, item, index, customIds } = reading;
  const path = `requests.${index}`;
  if (text[item.start] !== "{") throw invalid(`${path} must be an object`);
  const members = membersByKey(spans, item.start, `${path}.`);
  const customId = readCustomId(text, members.get("custom_id"), path);
  if (customIds.has(customId)) throw invalid(`${path}.custom_id: ${JSON.stringify(customId)} appears twice`);
  customIds.add(customId);
  const params = members.get("params");
  if (params === undefined) throw invalid(`${path}.params: Field required`);
  if (text[params.start] !== "{") throw invalid(`${path}.params must be an object`);
  return { customId, params, scan: readParams(body, params, reading) };
}

function readParams(body: Buffer, params: Span, { index, maxDepth }: Reading): ScannedRequest {
  try {
    const scan = scanRequest(body.subarray(params.start, params.end), { maxDepth, requireMaxTokens: true });
    // A batch may have a hundred thousand requests, and nothing here reads their members again.
    return { ...scan, members: [] };
  } catch (error) {
    if (!(error instanceof WeirError)) throw error;
    throw new WeirError(error.code, `requests.${index}.params: ${error.message}`, error.facts);
  }
}

function readCustomId(text: string, member: Member | undefined, path: string): string {
  if (member === undefined) throw invalid(`${path}.custom_id: Field required`);
  const value: unknown = JSON.parse(text.slice(member.start, member.end));
  if (typeof value !== "string" || value === "") throw invalid(`${path}.custom_id must be a non-empty string`);
  return value;
}

function requestsOf(spans: JsonSpans): Span {
  const requests = membersByKey(spans, spans.root, "").get("requests");
  if (requests === undefined) throw invalid("requests: Field required");
  return requests;
}

/** The members of an object by key. Two parsers may disagree which of two equal keys counts, so there must not be two. */
function membersByKey(spans: JsonSpans, start: number, path: string): ReadonlyMap<string, Member> {
  const members = new Map<string, Member>();
  for (const member of spans.membersOf(start)) {
    if (members.has(member.key)) throw invalid(`The key ${JSON.stringify(path + member.key)} appears twice.`);
    members.set(member.key, member);
  }
  return members;
}

function checkShape(text: string): void {
  const value = parse(text);
  if (!isJsonObject(value)) {
    throw new WeirError("weir:request:malformed_json", "The request body must be a JSON object.");
  }
  const { requests } = value;
  if (requests === undefined) throw invalid("requests: Field required");
  if (!Array.isArray(requests)) throw invalid("requests must be an array");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Only the position: V8's message may quote the body.
    const position = /at position (\d+)/.exec(error instanceof Error ? error.message : "");
    const where = position === null ? "" : ` (at byte ${position[1]})`;
    throw new WeirError("weir:request:malformed_json", `The request body is not valid JSON${where}.`);
  }
}

function invalid(message: string): WeirError {
  return new WeirError("weir:request:invalid_field", message);
}
