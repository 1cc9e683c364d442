import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { scanRequest } from "../anthropic/request-scan.ts";
import { HollowBody } from "./hollow-body.ts";

const LONG = 300;

function through(text: string): Buffer {
  const hollow = new HollowBody(Buffer.from(text), 128);
  return hollow.fill(JSON.stringify(hollow.value)).bytes;
}

/** Texts of every length around the border, of every script, with what JSON escapes. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.tuple(fc.string({ unit: "binary", maxLength: 40 }), fc.integer({ min: 0, max: 40 })).map(([s, n]) => s.repeat(n)),
  fc.integer({ min: 250, max: 262 }).map((n) => "x".repeat(n)),
);
const key = fc.oneof(fc.constantFrom("text", "content", "arguments", 'a"content', "__proto__x"), text);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.integer(),
    fc.constantFrom(null, true),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4 }),
  ),
}));
const document = fc.dictionary(key, value, { maxKeys: 5 });

describe("a hollow body", () => {
  it("filled again is the document that came, whatever is in it and however it is laid out", () => {
    fc.assert(
      fc.property(document, fc.constantFrom(undefined, 1, "\t"), (parsed, space) => {
        const json = JSON.stringify(parsed, null, space);
        expect(JSON.parse(through(json).toString())).toEqual(JSON.parse(json));
      }),
    );
  });

  it("keeps the bytes of a long text as they came, escapes and all", () => {
    const spelt = `\\u00e9\\/ü\\ud800 ${"x".repeat(LONG)}\\"`;
    expect(through(`{"content" : "${spelt}"}`).toString()).toBe(`{"content":"${spelt}"}`);
  });

  it("has long texts out, and what a translation looks into in", () => {
    const long = "x".repeat(LONG);
    const { value: hollow } = new HollowBody(
      Buffer.from(JSON.stringify({ content: long, parts: [{ text: long, url: long }], arguments: long, short: "s" })),
      128,
    );
    expect(JSON.stringify(hollow).split(long)).toHaveLength(3);
    expect(hollow).toMatchObject({ parts: [{ url: long }], arguments: long, short: "s" });
  });

  it("takes texts that were joined, moved or repeated in a translation", () => {
    const [a, b] = ["a".repeat(LONG), "b".repeat(LONG)];
    const hollow = new HollowBody(Buffer.from(JSON.stringify({ content: a, more: { text: b } })), 128);
    const { content, more } = hollow.value as { content: string; more: { text: string } }; // as written above
    const filled = hollow.fill(JSON.stringify([`${more.text} and ${content}`, more.text]));

    expect(JSON.parse(filled.bytes.toString())).toEqual([`${b} and ${a}`, b]);
  });

  it("gives a mark that a caller has learnt nothing but the caller's own text", () => {
    const first = new HollowBody(Buffer.from(JSON.stringify({ content: "s".repeat(LONG) })), 128);
    const mark = String(first.value["content"]);
    const own = "o".repeat(LONG);
    const forged = { content: own, stolen: mark, missing: mark.replace("0;", "77;") };

    expect(JSON.parse(through(JSON.stringify(forged)).toString())).toEqual({ ...forged, stolen: own });
  });
});

describe("a filled body", () => {
  const LIMITS = { maxDepth: 128, requireMaxTokens: false };

  it("says of itself what a scan of its bytes says", () => {
    fc.assert(
      fc.property(document, fc.array(value, { maxLength: 3 }), (more, content) => {
        const request = { before: more, model: "claude-é", messages: [{ content }], ...more, stream: true, after: 1 };
        const hollow = new HollowBody(Buffer.from(JSON.stringify({ ...request, model: "m", stream: true })), 128);
        const { model: _model, messages: _messages, ...others } = hollow.value;
        const json = JSON.stringify({ ...others, messages: [hollow.value["messages"]], model: "é" });
        const filled = hollow.fill(json);
        const { mentionsForeignThinking: _ours, ...found } = filled.scan(LIMITS);
        const { mentionsForeignThinking: _theirs, ...expected } = scanRequest(filled.bytes, LIMITS);

        // Errs towards true for escapes in long texts, which hold none of what is looked for.
        expect({ ...found, mentionsFiles: expected.mentionsFiles, longCacheWrites: expected.longCacheWrites }).toEqual(
          expected,
        );
        expect(found.mentionsFiles && !expected.mentionsFiles).toBe(false);
        expect(found.longCacheWrites && !expected.longCacheWrites).toBe(false);
      }),
    );
  });

  it("still tells of files, one-hour caches and what Weir has written, beside long texts", () => {
    const request = {
      messages: [{ content: [{ text: "x".repeat(LONG), file_id: "f", ttl: "1h", signature: "weir-unsigned" }] }],
      model: "m",
    };
    const hollow = new HollowBody(Buffer.from(JSON.stringify(request)), 128);
    const scan = hollow.fill(JSON.stringify(hollow.value)).scan(LIMITS);

    expect(scan).toMatchObject({
      mentionsFiles: true,
      longCacheWrites: true,
      mentionsForeignThinking: true,
      model: "m",
    });
  });
});
