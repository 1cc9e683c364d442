import { scanJson, type Member } from "../json/json-scan.ts";
import { type JsonObject, invalidField, isObject } from "./json-reader.ts";

/** The most that the scan takes: bodies seen a second time were held to the configured depth the first time. */
const ANY_DEPTH = 4000;

/**
 * Parses a request body: UTF-8, one JSON object, no key twice at the top, nested at most `maxDepth` deep. Throws WeirError.
 */
export function parseBody(body: Buffer, maxDepth: number): JsonObject {
  scanJson(body, maxDepth);
  const value: unknown = JSON.parse(body.toString("utf8"));
  return isObject(value) ? value : {}; // The scan has refused everything but objects.
}

/** Where the members of the top-level object lie, as byte offsets. Throws WeirError for anything but a JSON object. */
export function topLevelMembers(body: Buffer, maxDepth: number = ANY_DEPTH): readonly Member[] {
  return scanJson(body, maxDepth).members;
}

/** Bytes to put in place of `body[start, end)`. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The body with the splices made, which must not overlap; every other byte stays. */
export function spliceBody(body: Buffer, splices: readonly Splice[]): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { start, end, text } of [...splices].sort((a, b) => a.start - b.start)) {
    pieces.push(body.subarray(at, start), Buffer.from(text));
    at = end;
  }
  pieces.push(body.subarray(at));
  return Buffer.concat(pieces);
}

/** The splice that gives the request another model; the body may name none where its client had it in the path. */
export function modelSplice(members: readonly Member[], model: string): Splice {
  const member = members.find(({ key }) => key === "model");
  const text = JSON.stringify(model);
  if (member !== undefined) return { start: member.valueStart, end: member.valueEnd, text };
  const [first] = members;
  if (first === undefined) throw invalidField("model", "required, expected a string");
  return { start: first.keyStart, end: first.keyStart, text: `"model":${text},` };
}
