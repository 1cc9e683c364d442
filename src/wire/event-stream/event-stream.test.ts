import { EventStreamCodec, Int64 } from "@smithy/eventstream-codec";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { decodeHeaders, encodeHeaders, stringHeader, type FrameHeaders, type HeaderValue } from "./frame-headers.ts";
import { FrameReader } from "./frame-reader.ts";
import { encodeFrame } from "./frame-writer.ts";

interface Frame {
  readonly headers: FrameHeaders;
  readonly payload: Buffer;
}

const smithy = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString("utf8"),
  (text) => Buffer.from(text, "utf8"),
);

function read(chunks: readonly Buffer[], maxFrameBytes?: number): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader((buffer, headersStart, payloadStart, payloadEnd) => {
    const payload = Buffer.from(buffer.subarray(payloadStart, payloadEnd));
    // A copy: the reader's buffer is only lent.
    const headers = decodeHeaders(
      Buffer.from(buffer.subarray(headersStart, payloadStart)),
      0,
      payloadStart - headersStart,
    );
    frames.push({ headers, payload });
  }, maxFrameBytes);
  for (const chunk of chunks) reader.push(chunk);
  expect(reader.atBoundary).toBe(true);
  return frames;
}

function refusalOf(action: () => unknown): WeirError {
  try {
    action();
  } catch (error) {
    if (error instanceof WeirError) return error;
    throw error;
  }
  throw new Error("expected a WeirError");
}

const EVERY_KIND: readonly (readonly [string, HeaderValue])[] = [
  ["yes", { kind: "boolean", value: true }],
  ["no", { kind: "boolean", value: false }],
  ["byte", { kind: "byte", value: -128 }],
  ["short", { kind: "short", value: -32_768 }],
  ["integer", { kind: "integer", value: 2_147_483_647 }],
  ["long", { kind: "long", value: -9_007_199_254_740_991n }],
  ["binary", { kind: "binary", value: Buffer.of(0, 1, 255) }],
  [":event-type", { kind: "string", value: "chunk – 日本" }],
  ["at", { kind: "timestamp", value: 1_795_000_000_123n }],
  ["id", { kind: "uuid", value: "123e4567-e89b-12d3-a456-426614174000" }],
];

describe("frames, checked against the AWS codec", () => {
  it("writes headers of every kind so that the AWS codec reads them", () => {
    const frame = encodeFrame(encodeHeaders(EVERY_KIND), Buffer.from("payload"));

    const { headers, body } = smithy.decode(frame);

    expect(Buffer.from(body).toString()).toBe("payload");
    expect(headers["yes"]).toEqual({ type: "boolean", value: true });
    expect(headers["no"]).toEqual({ type: "boolean", value: false });
    expect(headers["byte"]).toEqual({ type: "byte", value: -128 });
    expect(headers["short"]).toEqual({ type: "short", value: -32_768 });
    expect(headers["integer"]).toEqual({ type: "integer", value: 2_147_483_647 });
    expect(headers["long"]?.value.toString()).toBe("-9007199254740991");
    expect(Buffer.from(headers["binary"]?.value as Uint8Array)).toEqual(Buffer.of(0, 1, 255));
    expect(headers[":event-type"]).toEqual({ type: "string", value: "chunk – 日本" });
    expect(headers["at"]).toEqual({ type: "timestamp", value: new Date(1_795_000_000_123) });
    expect(headers["id"]).toEqual({ type: "uuid", value: "123e4567-e89b-12d3-a456-426614174000" });
  });

  it("reads headers of every kind as the AWS codec writes them", () => {
    const frame = smithy.encode({
      headers: {
        yes: { type: "boolean", value: true },
        no: { type: "boolean", value: false },
        byte: { type: "byte", value: -128 },
        short: { type: "short", value: -32_768 },
        integer: { type: "integer", value: 2_147_483_647 },
        long: { type: "long", value: Int64.fromNumber(-1_234_567_890_123) },
        binary: { type: "binary", value: Uint8Array.of(0, 1, 255) },
        ":event-type": { type: "string", value: "chunk – 日本" },
        at: { type: "timestamp", value: new Date(1_795_000_000_123) },
        id: { type: "uuid", value: "123e4567-e89b-12d3-a456-426614174000" },
      },
      body: Buffer.from("payload"),
    });

    const [only, ...others] = read([Buffer.from(frame)]);

    expect(others).toEqual([]);
    expect(only?.payload.toString()).toBe("payload");
    const expected = new Map(EVERY_KIND).set("long", { kind: "long", value: -1_234_567_890_123n });
    expect(only?.headers).toEqual(expected);
    expect(stringHeader(only?.headers ?? new Map(), ":event-type")).toBe("chunk – 日本");
    expect(stringHeader(only?.headers ?? new Map(), "byte")).toBeNull();
  });

  it("agrees with it on any payload and any text header, both ways", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.dictionary(fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }), fc.string({ maxLength: 40 })),
        (payload, texts) => {
          const entries = Object.entries(texts);
          const ours = encodeFrame(
            encodeHeaders(entries.map(([name, value]) => [name, { kind: "string", value }] as const)),
            Buffer.from(payload),
          );
          const theirs = smithy.encode({
            headers: Object.fromEntries(entries.map(([name, value]) => [name, { type: "string" as const, value }])),
            body: payload,
          });
          expect(ours.equals(theirs)).toBe(true);
          const [frame] = read([Buffer.from(theirs)]);
          expect(frame?.payload.equals(Buffer.from(payload))).toBe(true);
          expect([...(frame?.headers ?? [])].map(([name, { value }]) => [name, value])).toEqual(entries);
        },
      ),
      { numRuns: 100 },
    );
  });
});

const HEADERS = encodeHeaders([[":event-type", { kind: "string", value: "chunk" }]]);
const STREAM = Buffer.concat(
  ["one", "", "a longer third payload", "x".repeat(200)].map((text) => encodeFrame(HEADERS, Buffer.from(text))),
);

describe("FrameReader on chunks", () => {
  const whole = read([STREAM]).map(({ payload }) => payload.toString());

  it("finds the same frames when the stream is split at any byte", () => {
    for (let at = 0; at <= STREAM.length; at++) {
      const frames = read([STREAM.subarray(0, at), STREAM.subarray(at)]);
      expect(frames.map(({ payload }) => payload.toString())).toEqual(whole);
    }
  });

  it("finds the same frames in single bytes, with empty chunks between them", () => {
    const chunks = [...STREAM].flatMap((byte) => [Buffer.of(byte), Buffer.alloc(0)]);

    expect(read(chunks).map(({ payload }) => payload.toString())).toEqual(whole);
  });

  it("finds the same frames however the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: STREAM.length }), { maxLength: 12 }), (cuts) => {
        const ends = [...cuts, STREAM.length].sort((a, b) => a - b);
        const chunks = ends.map((end, i) => STREAM.subarray(ends[i - 1] ?? 0, end));
        expect(read(chunks).map(({ payload }) => payload.toString())).toEqual(whole);
      }),
    );
  });

  it("stands at no boundary while a frame is incomplete", () => {
    const reader = new FrameReader(() => {});

    reader.push(STREAM.subarray(0, 5));

    expect(reader.atBoundary).toBe(false);
  });
});

describe("FrameReader on damage", () => {
  it("refuses a stream with any one byte changed, and never visits the damaged frame", () => {
    const frame = encodeFrame(HEADERS, Buffer.from("never to be seen changed"));
    for (let at = 0; at < frame.length; at++) {
      const damaged = Buffer.concat([frame, STREAM]);
      damaged[at] = (damaged[at] ?? 0) ^ 0x40;
      const seen: string[] = [];
      const reader = new FrameReader((buffer, _headers, start, end) => seen.push(buffer.toString("utf8", start, end)));

      const refusal = refusalOf(() => reader.push(damaged));

      expect(refusal.code).toBe("weir:upstream:bad_answer");
      expect(refusal.message).toMatch(/^The upstream's event stream is damaged: .*checksum/);
      expect(seen).toEqual([]);
    }
  });

  it("stays refused: what follows damage cannot be told apart", () => {
    const reader = new FrameReader(() => {});
    const damaged = Buffer.from(STREAM);
    damaged[0] = 1;
    const first = refusalOf(() => reader.push(damaged));

    expect(refusalOf(() => reader.push(STREAM))).toBe(first);
  });

  it("refuses a frame that is longer than it takes, before it has come", () => {
    const long = encodeFrame(HEADERS, Buffer.alloc(100));

    const refusal = refusalOf(() => read([long.subarray(0, 12)], 100));

    expect(refusal.message).toBe(
      `The upstream's event stream is damaged: a frame of ${long.length} bytes is longer than the 100 bytes that are taken.`,
    );
    expect(read([long], long.length)).toHaveLength(1);
  });

  it("refuses lengths that cannot be, though their checksum is right", () => {
    const impossible = encodeFrame(HEADERS, Buffer.alloc(0));
    impossible.writeUInt32BE(1_000, 4);
    const sealed = encodeFrame(Buffer.alloc(1_000), Buffer.alloc(0));
    impossible.copy(sealed, 0, 0, 4);
    // A prelude that says: this frame is shorter than its headers.
    sealed.writeUInt32BE(sealedSum(sealed), 8);

    expect(refusalOf(() => read([sealed])).message).toContain("with 1000 bytes of headers is impossible");
  });

  it.each([
    ["a header beyond the end", Buffer.of(5, 65), /beyond the end of the headers/],
    ["a header without a name", Buffer.of(0, 0), /has no name/],
    ["an unknown type", Buffer.of(1, 65, 10), /of the unknown type 10/],
    ["a value beyond the end", Buffer.of(1, 65, 7, 0, 9, 65), /beyond the end of the headers/],
    ["a header that stands twice", Buffer.of(1, 65, 0, 1, 65, 1), /"A" stands twice/],
  ])("refuses %s", (_name, bytes, message) => {
    const refusal = refusalOf(() => decodeHeaders(bytes, 0, bytes.length));

    expect(refusal.code).toBe("weir:upstream:bad_answer");
    expect(refusal.message).toMatch(message);
  });
});

function sealedSum(frame: Buffer): number {
  return encodedSum(frame.subarray(0, 8));
}

/** A CRC-32, bit by bit, as the standard describes it. */
function encodedSum(bytes: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

describe("encodeHeaders", () => {
  it.each([
    ["", { kind: "boolean", value: true }],
    ["x".repeat(256), { kind: "boolean", value: true }],
    ["x", { kind: "string", value: "y".repeat(65_536) }],
    ["x", { kind: "uuid", value: "not-a-uuid" }],
  ] as const)("refuses what does not fit: %s", (name, value) => {
    expect(() => encodeHeaders([[name, value]])).toThrow(RangeError);
  });
});
