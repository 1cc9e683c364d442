import type { Effort } from "../openai/reasoning.ts";

/** What a model behind Chat Completions takes, by its name: the servers refuse unknown fields, and say so only then. */
export interface TargetRules {
  /**
   * Claude behind a compatible proxy. These take Messages' own members beside Chat's (`cache_control` on parts, `thinking`,
   * `thinking_blocks`), as Weir itself does.
   */
  readonly claude: boolean;
  /** The name of the output limit. OpenAI's reasoning models refuse the old one, most other servers know only that. */
  readonly limitField: "max_tokens" | "max_completion_tokens";
  /** Values of `reasoning_effort`; empty where the field is not taken. */
  readonly efforts: readonly Effort[];
  /** Whether `temperature` and `top_p` may differ from their defaults. */
  readonly sampling: boolean;
}

interface Row {
  readonly name: RegExp;
  readonly rules: TargetRules;
}

const COMMON: TargetRules = { claude: false, limitField: "max_tokens", efforts: [], sampling: true };
const REASONING: TargetRules = {
  claude: false,
  limitField: "max_completion_tokens",
  efforts: ["low", "medium", "high"],
  sampling: false,
};

/** The first row whose name fits counts. Sources: OpenAI's reasoning guide and its API reference, as of November 2026. */
const ROWS: readonly Row[] = [
  { name: /claude/, rules: { ...COMMON, claude: true } },
  { name: /^gpt-\d+(?:\.\d+)?-chat/, rules: { ...COMMON, limitField: "max_completion_tokens" } },
  { name: /^gpt-5(?:$|-)/, rules: { ...REASONING, efforts: ["minimal", "low", "medium", "high"] } },
  { name: /^gpt-5\.1(?:$|-)/, rules: { ...REASONING, efforts: ["none", "low", "medium", "high"] } },
  {
    name: /^gpt-(?:5\.|[6-9]|[1-9]\d)/,
    rules: { ...REASONING, efforts: ["none", "low", "medium", "high", "xhigh", "max"] },
  },
  { name: /^o[1-9]/, rules: REASONING },
  { name: /^gpt-oss/, rules: { ...COMMON, efforts: ["low", "medium", "high"] } },
  {
    name: /^(?:gemini-(?:2\.5|[3-9])|grok-[3-9]|deepseek-(?:v[4-9]|reasoner))/,
    rules: { ...COMMON, efforts: ["low", "medium", "high"] },
  },
];

/**
 * A deployment of Azure's whose name tells nothing. All models that Azure still deploys take the new name of the limit, the
 * reasoning ones that alone.
 */
const DEPLOYED: TargetRules = { ...COMMON, limitField: "max_completion_tokens" };

/** Rules for a model's id at the upstream; a provider's prefix (`openai/gpt-5`) does not matter. */
export function targetRules(upstreamModel: string, isDeployment = false): TargetRules {
  const name = upstreamModel.toLowerCase();
  const bare = name.slice(name.lastIndexOf("/") + 1);
  return ROWS.find((row) => row.name.test(bare))?.rules ?? (isDeployment ? DEPLOYED : COMMON);
}

const ORDER: readonly Effort[] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/** The nearest effort that the model takes, rather less than more; null when it takes none. */
export function nearestEffort(rules: TargetRules, asked: Effort): Effort | null {
  const wanted = ORDER.indexOf(asked);
  const below = rules.efforts.filter((effort) => ORDER.indexOf(effort) <= wanted);
  return below.at(-1) ?? rules.efforts[0] ?? null;
}
