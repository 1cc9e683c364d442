import { randomBytes } from "node:crypto";

import { scanRequest, type ScannedRequest, type ScanLimits } from "../anthropic/request-scan.ts";
import { scanLongStrings, type Member } from "../json/json-scan.ts";
import { type JsonObject, isObject } from "./json-reader.ts";

/** Members whose long strings go over as they are, and that no translation looks into. */
const TEXTS: readonly Buffer[] = ['"content"', '"text"'].map((key) => Buffer.from(key));

/**
 * Stands for a text while its request is translated. Nobody can guess it; a caller who learnt it could make Weir repeat the
 * caller's own text and nothing else.
 */
const MARK = `~${randomBytes(16).toString("hex")}~`;
const MARKED = new RegExp(`${MARK}(\\d{1,9});`, "g");

const COLON = 0x3a;

/**
 * A request body with its long texts taken out: most of an agent's request is text that is neither looked at nor changed, so it
 * is neither parsed nor written anew, and comes out byte for byte as it came in.
 */
export class HollowBody {
  /** The request, with marks in the place of long texts. A text is still not empty, and nothing else may be asked of it. */
  readonly value: JsonObject;
  readonly #body: Buffer;
  /** Offsets of the texts, in pairs. */
  readonly #texts: number[] = [];

  /** Throws WeirError for what is no JSON object, is nested deeper than `maxDepth`, or has a key twice at its top. */
  constructor(body: Buffer, maxDepth: number) {
    this.#body = body;
    const strings = scanLongStrings(body, maxDepth);
    for (let i = 0; i < strings.length; i += 2) {
      const start = strings[i] ?? 0;
      if (isText(body, start - 1)) this.#texts.push(start, strings[i + 1] ?? 0);
    }
    const value: unknown = JSON.parse(this.#hollow());
    this.value = isObject(value) ? value : {}; // The scan has refused everything but objects.
  }

  /** A JSON text that was made of `value`, the long texts put in again. */
  fill(json: string): FilledJson {
    const gaps: Gap[] = [];
    const pieces: Buffer[] = [];
    let at = 0;
    for (const { index, 0: mark, 1: number } of this.#texts.length === 0 ? [] : json.matchAll(MARKED)) {
      const start = this.#texts[Number(number) * 2];
      if (start === undefined) continue;
      const before = Buffer.from(json.slice(at, index));
      const text = this.#body.subarray(start, this.#texts[Number(number) * 2 + 1]);
      pieces.push(before, text);
      gaps.push({ hollowBytes: before.length + mark.length, textBytes: text.length, markBytes: mark.length });
      at = index + mark.length;
    }
    pieces.push(Buffer.from(json.slice(at)));
    return new FilledJson(json, { pieces, gaps });
  }

  #hollow(): string {
    let text = "";
    let at = 0;
    for (let i = 0; i < this.#texts.length; i += 2) {
      text += `${this.#body.toString("utf8", at, this.#texts[i])}${MARK}${i / 2};`;
      at = this.#texts[i + 1] ?? at;
    }
    return text + this.#body.toString("utf8", at);
  }
}

/** A text that was put in: how far its mark's end is from that of the one before, how long it is, and how long its mark. */
interface Gap {
  readonly hollowBytes: number;
  readonly textBytes: number;
  readonly markBytes: number;
}

/** A JSON text with its long texts, which need not be looked through to know what is in it. */
export class FilledJson {
  readonly bytes: Buffer;
  readonly #hollow: string;
  readonly #gaps: readonly Gap[];

  constructor(hollow: string, { pieces, gaps }: { pieces: readonly Buffer[]; gaps: readonly Gap[] }) {
    const [only] = pieces;
    this.bytes = only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces);
    this.#hollow = hollow;
    this.#gaps = gaps;
  }

  /** What a scan of `bytes` tells, found in a tenth of them: the long texts are known to be sound. Throws WeirError. */
  scan(limits: ScanLimits): ScannedRequest {
    if (this.#gaps.length === 0) return scanRequest(this.bytes, limits);
    const scan = scanRequest(Buffer.from(this.#hollow), limits);
    const [model, members] = [this.#moved([scan.modelStart, scan.modelEnd]), this.#movedMembers(scan.members)];
    return { ...scan, modelStart: model[0] ?? 0, modelEnd: model[1] ?? 0, members };
  }

  #movedMembers(members: readonly Member[]): Member[] {
    const moved = this.#moved(
      members.flatMap(({ keyStart, valueStart, valueEnd }) => [keyStart, valueStart, valueEnd]),
    );
    return members.map(({ key }, i) => ({
      key,
      keyStart: moved[i * 3] ?? 0,
      valueStart: moved[i * 3 + 1] ?? 0,
      valueEnd: moved[i * 3 + 2] ?? 0,
    }));
  }

  /** Offsets in the hollow text, in their order, as offsets in `bytes`. None of them lies within a mark: marks are in strings. */
  #moved(offsets: readonly number[]): number[] {
    let [gap, markEnd, grown] = [0, this.#gaps[0]?.hollowBytes ?? Infinity, 0];
    return offsets.map((offset) => {
      while (offset >= markEnd) {
        const { textBytes, markBytes } = this.#gaps[gap] ?? { textBytes: 0, markBytes: 0 };
        grown += textBytes - markBytes;
        markEnd += this.#gaps[++gap]?.hollowBytes ?? Infinity;
      }
      return offset + grown;
    });
  }
}

/** Whether the string whose quote is at `quote` is the value of a member that holds text. */
function isText(body: Buffer, quote: number): boolean {
  let at = beforeSpace(body, quote);
  if (body[at] !== COLON) return false;
  at = beforeSpace(body, at) + 1;
  return TEXTS.some((key) => at >= key.length && body.compare(key, 0, key.length, at - key.length, at) === 0);
}

/** The offset of the last byte before `end` that is no white space. */
function beforeSpace(body: Buffer, end: number): number {
  let at = end - 1;
  while (at >= 0 && (body[at] ?? 0) <= 0x20) at--;
  return at;
}
