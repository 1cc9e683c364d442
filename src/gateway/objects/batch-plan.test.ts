import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Target } from "../../routing/route-table.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import { bodyForUpstream, type BatchPlan } from "./batch-plan.ts";
import { scanBatch } from "./batch-scan.ts";

/** A plan of which only the names matter. */
function renaming(names: Readonly<Record<string, string>>): BatchPlan {
  const upstream = { name: "u" } as Upstream; // only compared
  const price = {} as Target["price"]; // not read
  const planned = {} as Target["planned"]; // not read
  const targets = Object.entries(names).map(
    ([model, upstreamModel]) => [model, { upstream, upstreamModel, price, planned }] as const,
  );
  return { upstream, targets: new Map(targets) };
}

describe("the body for the upstream", () => {
  it("is the very same when no name differs", async () => {
    const body = Buffer.from(
      '{ "requests" : [{"custom_id":"a","params":{"model":"m","max_tokens":1,"messages":[]}}] }',
    );
    const requests = await scanBatch(body, { maxDepth: 9 });
    expect(bodyForUpstream(body, requests, renaming({ m: "m" }))).toBe(body);
  });

  it("differs in the names alone", async () => {
    const models = fc.array(fc.constantFrom("mine", "theirs", "claude-opus-5"), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        models,
        fc.string({ unit: "grapheme" }),
        fc.constantFrom(undefined, 3),
        async (names, text, space) => {
          const document = (rename: (name: string) => string): string =>
            JSON.stringify(
              {
                requests: names.map((name, index) => ({
                  params: { messages: [{ content: text }], model: rename(name), max_tokens: 1 },
                  custom_id: String(index),
                })),
              },
              null,
              space,
            );
          const body = Buffer.from(document((name) => name));
          const requests = await scanBatch(body, { maxDepth: 9 });
          const plan = renaming({ mine: 'eu.claude "x"', theirs: "é", "claude-opus-5": "claude-opus-5" });
          const renamed = bodyForUpstream(body, requests, plan).toString("utf8");
          expect(renamed).toBe(document((name) => plan.targets.get(name)?.upstreamModel ?? ""));
        },
      ),
    );
  });
});
