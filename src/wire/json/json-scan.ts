import { isUtf8 } from "node:buffer";

import { WeirError } from "../../core/weir-error.ts";
import { JSON_SCAN_MODULE } from "./json-scan-module.ts";

/** Where one member of the top-level object lies, as byte offsets. */
export interface Member {
  /** Its name, escapes undone. */
  readonly key: string;
  /** At the opening quote of the key. */
  readonly keyStart: number;
  /** The JSON text of the value, without space around it. */
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** What one pass over a JSON object tells. */
export interface JsonScan {
  /** The members of the top-level object in their order. */
  readonly members: readonly Member[];
  /** Whether the string `1h` may stand anywhere, also with letters escaped. Errs only towards true. */
  readonly mentionsOneHour: boolean;
  /** Whether the string `file_id` may stand anywhere, also with letters escaped. Errs only towards true. */
  readonly mentionsFiles: boolean;
  /** Whether a string that begins with `weir:` or `weir-` may stand anywhere: what Weir itself has put into a conversation. */
  readonly mentionsWeir: boolean;
}

/** What the module exports; see wasm/json-scan.ts, which this mirrors. */
interface ScanExports {
  readonly memory: WebAssembly.Memory;
  readonly INPUT: WebAssembly.Global;
  scan(length: number, maxDepth: number): number;
}

const STATUS = { ok: 0, malformed: 1, tooDeep: 2, notObject: 3, tooManyMembers: 4 } as const;
/** Offsets in the result, counted in 32-bit numbers. */
const RESULT = { position: 0, flags: 1, count: 2, members: 3, memberSize: 4, longCount: 4_004 } as const;
/** From this length on a string is noted as a long one. */
const LONG_BYTES = 256;
const FLAG = { oneHour: 1, files: 2, weir: 4 } as const;
/** The module's stack has a byte for each; a caller that allows more gets this. */
const MAX_LEVELS = 4_000;
const PAGE_BYTES = 65_536;
/** Zero bytes that follow the text: the scan looks at sixteen at a time. */
const PADDING = new Uint8Array(16);
/**
 * A text longer than this is scanned in a second memory: WebAssembly memory never shrinks, and what is scanned all the time
 * should stay in the processor's cache.
 */
const SMALL_BYTES = 4 * 1024 * 1024;

const compiled = new WebAssembly.Module(Buffer.from(JSON_SCAN_MODULE, "base64"));

/** An instance of the module with its memory, which holds nothing between two calls. */
class Scanner {
  readonly #exports: ScanExports;
  readonly #input: number;
  #bytes: Uint8Array;
  #numbers: Int32Array;

  constructor() {
    // The module is ours and exports just this; the compiler cannot know.
    this.#exports = new WebAssembly.Instance(compiled).exports as unknown as ScanExports;
    this.#input = Number(this.#exports.INPUT.value);
    this.#bytes = new Uint8Array(this.#exports.memory.buffer);
    this.#numbers = new Int32Array(this.#exports.memory.buffer);
  }

  scan(body: Buffer, maxDepth: number): JsonScan {
    const longStrings = Math.floor(body.length / LONG_BYTES) + 1;
    this.#makeRoom(this.#input + body.length + PADDING.length + longStrings * 8 + 4);
    this.#bytes.set(body, this.#input);
    this.#bytes.set(PADDING, this.#input + body.length);
    const levels = Math.min(maxDepth, MAX_LEVELS);
    const status = this.#exports.scan(body.length, levels);
    if (status !== STATUS.ok) throw refusal(status, this.#number(RESULT.position), levels);
    const flags = this.#number(RESULT.flags);
    return {
      members: this.#members(body),
      mentionsOneHour: (flags & FLAG.oneHour) !== 0,
      mentionsFiles: (flags & FLAG.files) !== 0,
      mentionsWeir: (flags & FLAG.weir) !== 0,
    };
  }

  /** The long strings of the text that was scanned last, as pairs of offsets, without their quotes. */
  longStrings(bodyBytes: number): Int32Array {
    const count = this.#number(RESULT.longCount);
    const at = (this.#input + bodyBytes + PADDING.length + 3) >> 2;
    return this.#numbers.slice(at, at + count * 2);
  }

  /** Two policies, or a policy and the upstream, may disagree which of two equal keys counts: there must not be two. */
  #members(body: Buffer): Member[] {
    const members: Member[] = [];
    const keys = new Set<string>();
    const count = this.#number(RESULT.count);
    for (let i = 0; i < count; i++) {
      const row = RESULT.members + i * RESULT.memberSize;
      const keyStart = this.#number(row);
      const key = keyText(body, keyStart, this.#number(row + 1));
      if (keys.has(key)) {
        throw new WeirError(
          "weir:request:invalid_field",
          `The key ${JSON.stringify(key)} appears twice in the request.`,
        );
      }
      keys.add(key);
      members.push({ key, keyStart, valueStart: this.#number(row + 2), valueEnd: this.#number(row + 3) });
    }
    return members;
  }

  #number(index: number): number {
    return this.#numbers[index] ?? 0;
  }

  #makeRoom(bytes: number): void {
    const { memory } = this.#exports;
    const missing = bytes - memory.buffer.byteLength;
    if (missing <= 0) return;
    memory.grow(Math.ceil(missing / PAGE_BYTES));
    this.#bytes = new Uint8Array(memory.buffer);
    this.#numbers = new Int32Array(memory.buffer);
  }
}

/** Scratch memory for one synchronous call after another. */
const scanner = new Scanner();
/**
 * For long texts, made when the first comes. One for all: each WebAssembly memory takes gigabytes of address space until the
 * collector finds it, which nothing hurries. It holds as much as the longest body that the limits have let in.
 */
let longScanner: Scanner | null = null;

/**
 * Validates a body as JSON (UTF-8, the grammar that JSON.parse takes, nesting of at most `maxDepth`, an object without
 * duplicate keys at its top) and finds its members. It builds nothing of the document: a fifth of what JSON.parse costs.
 * Throws WeirError saying what is wrong and at which byte.
 */
export function scanJson(body: Buffer, maxDepth: number): JsonScan {
  return scannerFor(body).scan(body, maxDepth);
}

/**
 * Validates a body as `scanJson` does and tells where its long strings lie: pairs of offsets in the order of their ends, which
 * for strings is that of their beginnings; escapes are still in them, quotes are not.
 */
export function scanLongStrings(body: Buffer, maxDepth: number): Int32Array {
  const chosen = scannerFor(body);
  chosen.scan(body, maxDepth);
  return chosen.longStrings(body.length);
}

function scannerFor(body: Buffer): Scanner {
  if (!isUtf8(body)) throw new WeirError("weir:request:bad_encoding", "The request body is not valid UTF-8.");
  if (body.length <= SMALL_BYTES) return scanner;
  longScanner ??= new Scanner();
  return longScanner;
}

function keyText(body: Buffer, start: number, end: number): string {
  const raw = body.toString("latin1", start + 1, end - 1);
  return /[\\\u0080-\u00ff]/.test(raw) ? String(JSON.parse(body.toString("utf8", start, end))) : raw;
}

function refusal(status: number, position: number, maxDepth: number): WeirError {
  switch (status) {
    case STATUS.tooDeep:
      return new WeirError("weir:request:invalid_field", `The request is nested deeper than ${maxDepth} levels.`);
    case STATUS.notObject:
      return new WeirError("weir:request:malformed_json", "The request body must be a JSON object.");
    case STATUS.tooManyMembers:
      return new WeirError("weir:request:invalid_field", "The request has more than 1000 fields at its top level.");
    default:
      return new WeirError("weir:request:malformed_json", `The request body is not valid JSON (at byte ${position}).`);
  }
}
