import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { SessionPart } from "../../store/ports/reports.ts";
import { type AgentNode, NO_COST, sessionTree } from "./session-tree.ts";

function part(agentId: string | null, parentAgentId: string | null, costMicroUsd: number, firstAtMs = 0): SessionPart {
  return {
    ...NO_COST,
    requests: 1,
    costMicroUsd,
    agentId,
    parentAgentId,
    model: "claude-opus-5",
    userId: "usr_ada",
    keyId: "key_1",
    firstAtMs,
    lastAtMs: firstAtMs + 10,
  };
}

const shape = (node: AgentNode): unknown => [
  node.kind === "agent" ? node.agentId : node.kind,
  node.own.costMicroUsd,
  node.total.costMicroUsd,
  ...(node.children.length === 0 ? [] : [node.children.map(shape)]),
];
const shapes = (...parts: readonly SessionPart[]): unknown => sessionTree(parts)?.roots.map(shape);

describe("the cost tree of a session", () => {
  it("is nothing for a session that there is not", () => {
    expect(sessionTree([])).toBeNull();
  });

  it("puts agents under the conversation and subagents under their agents, in the order of time", () => {
    expect(
      shapes(part(null, null, 1), part("late", null, 2, 9), part("early", null, 4, 5), part("sub", "late", 8, 10)),
    ).toEqual([
      [
        "main",
        1,
        15,
        [
          ["early", 4, 4],
          ["late", 2, 10, [["sub", 8, 8]]],
        ],
      ],
    ]);
  });

  it("shows agents whose parent never asked anything under a parent that is not known", () => {
    expect(shapes(part(null, null, 1), part("lost", "gone", 2), part("below", "lost", 4))).toEqual([
      ["main", 1, 1],
      ["unknown_parent", 0, 6, [["lost", 2, 6, [["below", 4, 4]]]]],
    ]);
  });

  it("counts agents that name each other, or themselves, once", () => {
    expect(shapes(part("a", "b", 1, 1), part("b", "a", 2, 2), part("c", "c", 4, 3))).toEqual([
      [
        "unknown_parent",
        0,
        7,
        [
          ["a", 1, 3, [["b", 2, 2]]],
          ["c", 4, 4],
        ],
      ],
    ]);
  });

  it("names the models of an agent, the dearest first", () => {
    const tree = sessionTree([part(null, null, 1), { ...part(null, null, 5), model: "claude-fable-5" }]);
    expect(tree?.roots[0]?.models).toEqual(["claude-fable-5", "claude-opus-5"]);
  });

  it("given any parts, has every one of them in exactly one node", () => {
    const name = fc.constantFrom("a", "b", "c", "d", null);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, name, fc.nat(1_000)), { minLength: 1, maxLength: 12 }), (given) => {
        const tree = sessionTree(given.map(([agent, parent, cost]) => part(agent, parent, cost)));
        const sum = given.reduce((total, [, , cost]) => total + cost, 0);
        const own = (node: AgentNode): number =>
          node.own.costMicroUsd + node.children.reduce((total, child) => total + own(child), 0);
        expect(tree?.total.costMicroUsd).toBe(sum);
        expect(tree?.roots.reduce((total, root) => total + own(root), 0)).toBe(sum);
        expect(tree?.roots.reduce((total, root) => total + root.total.costMicroUsd, 0)).toBe(sum);
        expect(tree?.roots.reduce((total, root) => total + root.total.requests, 0)).toBe(given.length);
      }),
    );
  });
});
