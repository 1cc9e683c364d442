/**
 * What a Claude model takes of the request options that an OpenAI request has and Messages does not take everywhere.
 * Sources: platform.claude.com, pages "Thinking", "Effort", "Models overview" and the migration guides, as of November 2026.
 */
export interface ModelTraits {
  /** `budget`: `thinking.type: enabled` with `budget_tokens`; `adaptive`: `thinking.type: adaptive` steered by effort. */
  readonly thinking: "budget" | "adaptive";
  /** How thinking is turned off; `never` where it cannot be. */
  readonly thinkingOff: "disabled" | "between_tools" | "never";
  /** `temperature` and `top_p`: both, one of the two at a time, or neither. */
  readonly sampling: "both" | "one" | "none";
  /** Whether effort `xhigh` is known (since 4.7). */
  readonly xhigh: boolean;
  /** `max_tokens` for a request that names no limit. */
  readonly defaultMaxTokens: number;
}

/**
 * Without a limit an OpenAI answer may be as long as the model can; Messages wants a number. Not the model's maximum
 * (64,000 to 128,000): budgets and forecasts hold the cost of `max_tokens` back for each running request. 32,000 is what
 * Claude Code asks for.
 */
const DEFAULT_MAX_TOKENS = 32_000;
/** For names that may stand for anything: what the smallest models in use allow. */
const DEFAULT_MAX_TOKENS_UNKNOWN = 16_384;
/** The 3.x models allow 4,096 (Haiku 3, Opus 3) or 8,192. */
const DEFAULT_MAX_TOKENS_OLD = 4096;

const NAME = /claude-(fable|mythos|opus|sonnet|haiku)-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/;
const OLD_NAME = /claude-(?:[12](?!\d)|instant|3(?!\d))/;

const UNKNOWN: ModelTraits = {
  thinking: "adaptive",
  thinkingOff: "disabled",
  sampling: "both",
  xhigh: true,
  defaultMaxTokens: DEFAULT_MAX_TOKENS_UNKNOWN,
};

/** Traits of a model by any spelling of its id. A name that is no Claude model's is taken as one that takes everything. */
export function modelTraits(id: string): ModelTraits {
  const name = id.toLowerCase();
  const match = NAME.exec(name);
  if (match === null) {
    if (!OLD_NAME.test(name)) return UNKNOWN;
    return { ...UNKNOWN, thinking: "budget", xhigh: false, defaultMaxTokens: DEFAULT_MAX_TOKENS_OLD };
  }
  const family = match[1] ?? "";
  const version = Number(match[2]) * 100 + Number(match[3] ?? 0);
  return {
    thinking: version >= 406 ? "adaptive" : "budget",
    thinkingOff: thinkingOff(family, version),
    sampling: version >= 407 ? "none" : version >= 405 ? "one" : "both",
    xhigh: version >= 407,
    defaultMaxTokens: DEFAULT_MAX_TOKENS,
  };
}

function thinkingOff(family: string, version: number): ModelTraits["thinkingOff"] {
  if (family === "fable" || family === "mythos") return "never";
  if (version < 505 || family === "haiku") return "disabled";
  return family === "sonnet" ? "between_tools" : "never";
}
