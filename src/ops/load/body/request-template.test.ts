import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MIN_BODY_BYTES } from "./body-sizes.ts";
import { RequestTemplate, type RequestMarks } from "./request-template.ts";

interface AgentRequest {
  readonly model: string;
  readonly max_tokens: number;
  readonly stream: boolean;
  readonly metadata: { readonly user_id: string };
  readonly system: readonly { readonly cache_control?: object }[];
  readonly tools: readonly { readonly name: string; readonly input_schema: { readonly type: string } }[];
  readonly messages: readonly {
    readonly role: string;
    readonly content:
      | string
      | readonly {
          readonly type: string;
          readonly id?: string;
          readonly tool_use_id?: string;
          readonly cache_control?: object;
        }[];
  }[];
}

const marks: RequestMarks = { nonce: "fedcba9876543210", user: "abcd1234", maxTokens: 64, sharedPrefix: 1 };
const template = (bytes: number, seed = 1): RequestTemplate =>
  new RequestTemplate({ bytes, model: "claude-test", stream: true, seed });
const parsed = (body: Buffer): AgentRequest => JSON.parse(body.toString()) as AgentRequest;

describe("the body of a request", () => {
  it("has the wanted size to the byte and is valid JSON, whatever the size and the marks", () => {
    const size = fc.integer({ min: MIN_BODY_BYTES, max: 60_000 });
    fc.assert(
      fc.property(size, fc.nat(1000), fc.integer({ min: 1, max: 9_999_999 }), (bytes, seed, maxTokens) => {
        const body = template(bytes, seed).render({ ...marks, maxTokens });
        expect(body.length).toBe(bytes);
        expect(parsed(body).max_tokens).toBe(maxTokens);
      }),
      { numRuns: 60 },
    );
    expect(template(512_000).render(marks).length).toBe(512_000);
  });

  it("looks like a coding agent's: system blocks, fifteen tools, a history of tool calls, cache marks", () => {
    const request = parsed(template(102_400).render(marks));
    expect(request).toMatchObject({ model: "claude-test", stream: true, metadata: { user_id: "abcd1234" } });
    expect(request.tools).toHaveLength(15);
    expect(new Set(request.tools.map(({ name }) => name)).size).toBe(15);
    expect(request.messages.length).toBeGreaterThan(20);
    expect(request.system.at(-1)?.cache_control).toEqual({ type: "ephemeral" });
    expect(JSON.stringify(request.messages.at(-1))).toContain("cache_control");
  });

  it("is one that the API accepts: roles alternate from the user's, and each tool call has its result", () => {
    for (const bytes of [2048, 9000, 102_400]) {
      const { messages } = parsed(template(bytes).render(marks));
      expect(messages.map(({ role }) => role)).toEqual(messages.map((_, i) => (i % 2 === 0 ? "user" : "assistant")));
      const blocks = messages.flatMap(({ content }) => (typeof content === "string" ? [] : content));
      const calls = blocks.flatMap(({ type, id }) => (type === "tool_use" ? [id] : []));
      expect(blocks.flatMap(({ tool_use_id }) => (tool_use_id === undefined ? [] : [tool_use_id]))).toEqual(calls);
      expect(new Set(calls).size).toBe(calls.length);
    }
  });

  it("repeats for the same seed and differs for another", () => {
    expect(template(20_000).render(marks).equals(template(20_000).render(marks))).toBe(true);
    expect(template(20_000, 2).render(marks).equals(template(20_000, 1).render(marks))).toBe(false);
  });

  it("differs from the next request only after the shared prefix", () => {
    const made = template(100_000);
    const differsFrom = (sharedPrefix: number): number => {
      const [a, b] = ["1111111111111111", "2222222222222222"].map((nonce) =>
        made.render({ ...marks, nonce, sharedPrefix }),
      );
      return a!.findIndex((byte, i) => byte !== b![i]) / made.bytes;
    };
    expect(differsFrom(0)).toBeLessThan(0.3);
    expect(differsFrom(0.6)).toBeGreaterThanOrEqual(0.6);
    expect(differsFrom(0.6)).toBeLessThan(0.75);
    expect(differsFrom(1)).toBeGreaterThan(0.85);
  });

  it("is a copy: rendering the next one does not change it", () => {
    const made = template(2048);
    const first = made.render(marks);
    const before = first.toString();
    made.render({ ...marks, nonce: "0000000000000000" });
    expect(first.toString()).toBe(before);
  });
});
