import type { CanonicalRequest } from "../codec.ts";
import type { AdaptedRequest } from "./adapt-request.ts";
import { memberOf, valueOf } from "./body-edit.ts";
import { findMembers, jsonPath } from "./json-path.ts";
import type { RuleBook } from "./rule-book.ts";

/** What tools may carry by a beta that counting does not take, and what counting itself refuses. */
const TOOL_PATHS = ["[].defer_loading", "[].eager_input_streaming", "[].input_examples", "[].allowed_callers"].map(
  (path) => jsonPath(path).filter((step) => step !== ""),
);

/**
 * What counting tokens at a cloud does not take although generating does, taken out: betas that it does not know with
 * what they bring into tools, and an empty list of tools. Returns the betas that stay.
 */
export function trimForCounting(request: CanonicalRequest, adapted: AdaptedRequest, book: RuleBook): readonly string[] {
  const { members } = request.scan;
  const tools = memberOf(members, "tools");
  if (tools !== undefined) {
    if (isEmptyList(request.body.toString("latin1", tools.valueStart, tools.valueEnd))) adapted.edit.remove("tools");
    else trimTools(request, adapted, tools.valueStart);
  }
  return adapted.betas.filter((beta) => book.isCounted(beta));
}

function trimTools(request: CanonicalRequest, adapted: AdaptedRequest, at: number): void {
  const found = findMembers(request.body.toString("latin1"), { at, label: "tools", paths: TOOL_PATHS });
  for (const { start, end } of found.cuts) adapted.edit.replace(start, end, "");
  const names = new Set(found.members.map(({ path }) => path.slice(path.lastIndexOf(".") + 1)));
  for (const name of names) {
    adapted.warnings.push({ field: `tools[].${name}`, message: "is not taken by token counting and was left out" });
  }
}

/** A `max_tokens` for a body that must have one to be counted: above the thinking budget, else one. */
export function countedMaxTokens(request: CanonicalRequest): number {
  const thinking = valueOf(request.body, request.scan.members, "thinking");
  const budget =
    typeof thinking === "object" && thinking !== null && "budget_tokens" in thinking ? thinking.budget_tokens : null;
  return typeof budget === "number" && Number.isSafeInteger(budget) && budget > 0 ? budget + 1 : 1;
}

function isEmptyList(json: string): boolean {
  return /^\[\s*\]$/.test(json);
}
