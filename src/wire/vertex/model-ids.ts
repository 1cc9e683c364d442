import { canonicalModel } from "../../message/models.ts";

/**
 * The built-in models on Vertex whose id has a date; from 4.6 on ids are those of the Messages API. Ids of Anthropic's
 * model overview and of Claude Code's own table.
 * Assumption: `claude-mythos-5-1`, which the table does not have, follows `claude-mythos-5`.
 */
const DATED: Readonly<Record<string, string>> = {
  "claude-opus-4-5": "claude-opus-4-5@20251101",
  "claude-sonnet-4-5": "claude-sonnet-4-5@20250929",
  "claude-haiku-4-5": "claude-haiku-4-5@20251001",
};

/** The id of a model, in any spelling, on Vertex. Null for a model that is not built in. */
export function vertexModelId(model: string): string | null {
  const canonical = canonicalModel(model);
  return canonical === null ? null : (DATED[canonical] ?? canonical);
}
