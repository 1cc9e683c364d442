import type { Effort } from "../../openai/reasoning.ts";
import { nearestEffort, targetRules } from "../../openai-chat/target-rules.ts";

/** OpenAI's models that do not reason, and refuse every word about it. */
const NOT_REASONING = /^(?:gpt-[34]|chatgpt-|gpt-\d+(?:\.\d+)?-chat)/;

/** Whether a model takes `reasoning`. Names that may stand for anything, as Azure's deployments have, count as reasoning. */
export function reasons(upstreamModel: string): boolean {
  return !NOT_REASONING.test(bareName(upstreamModel));
}

/** The effort nearest to the one asked for that the model takes; null when it takes none of the kind. */
export function effortFor(upstreamModel: string, asked: Effort): Effort | null {
  const rules = targetRules(upstreamModel);
  if (rules.efforts.length > 0) {
    const effort = nearestEffort(rules, asked);
    return asked === "none" && effort !== "none" ? (rules.efforts[0] ?? null) : effort;
  }
  // Nothing is known of the name: not every model can be told not to reason, the others are the common ones.
  return asked === "none" ? null : asked;
}

function bareName(model: string): string {
  const name = model.toLowerCase();
  return name.slice(name.lastIndexOf("/") + 1);
}
