/** What the sandbox needs to know of a model to accept, count and cache as the real service does. */
export interface ModelFacts {
  /** `opus`, `sonnet` and so on; null for a name that follows no known pattern. */
  readonly family: string | null;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  /** A prompt prefix shorter than this is not cached. */
  readonly minCacheableTokens: number;
  /** Whether a request may end with a partial assistant turn that the answer continues. */
  readonly allowsPrefill: boolean;
}

const NAME = /claude-(fable|mythos|opus|sonnet|haiku)-(\d{1,2})(?:-(\d{1,2}))?(?!\d)/;

/** Version as major × 100 + minor of the model generation that a nameless or unknown model is taken for. */
const ASSUMED_VERSION = 500;

/**
 * Facts of a model by its id. Sources: the public prompt caching and model overview pages as of 2026, and the limits that
 * Claude Code 2.1 works with; where a page does not name a model (Haiku 5 and later) the nearest figure is assumed.
 * `betas` is the request's `anthropic-beta` header: `context-1m-…` opens the long context of models that offer it.
 */
export function modelFacts(id: string, betas = ""): ModelFacts {
  const match = NAME.exec(id);
  const family = match?.[1] ?? null;
  const version = match === null ? ASSUMED_VERSION : Number(match[2]) * 100 + Number(match[3] ?? 0);
  // No Haiku came out with 4.6 to 4.8, so this is also right for that family.
  const isLate = version >= 406;
  const longContext = isLate || (family === "sonnet" && betas.includes("context-1m"));
  return {
    family,
    contextTokens: longContext ? 1_000_000 : 200_000,
    maxOutputTokens: isLate ? 128_000 : 64_000,
    minCacheableTokens: minCacheableTokens(family, version),
    allowsPrefill: !isLate,
  };
}

function minCacheableTokens(family: string | null, version: number): number {
  if (family === "fable" || family === "mythos") return 512;
  if (family === "haiku") return version >= 500 ? 1024 : 4096;
  if (family !== "opus") return 1024;
  if (version >= 500) return 512;
  if (version === 407) return 2048;
  return version === 405 || version === 406 ? 4096 : 1024;
}
