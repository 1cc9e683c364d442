import { canonicalModel } from "../../message/models.ts";

/** A geography whose regions a cross-region inference profile may use; `global` uses them all. */
export type BedrockGeo = "us" | "us-gov" | "eu" | "apac" | "jp" | "au" | "global";

interface BedrockModel {
  readonly model: string;
  readonly id: string;
  /** Geographies without a profile for it; `global` stands in for them. */
  readonly without?: readonly BedrockGeo[];
}

/** Newer models have no profile for the whole of Asia and the Pacific, but one for Japan and one for Australia. */
const NO_APAC: readonly BedrockGeo[] = ["apac"];

/**
 * The built-in models on Bedrock. Ids of Anthropic's model overview, AWS's model cards and Claude Code's own table; from
 * 4.6 on they have neither date nor version, save Opus 4.6.
 */
const BEDROCK_MODELS: readonly BedrockModel[] = [
  { model: "claude-fable-5-2", id: "anthropic.claude-fable-5-2", without: NO_APAC },
  { model: "claude-fable-5-1", id: "anthropic.claude-fable-5-1", without: NO_APAC },
  { model: "claude-fable-5", id: "anthropic.claude-fable-5", without: NO_APAC },
  // Assumption: as Mythos 5, `anthropic.claude-mythos-5`, by the same pattern.
  { model: "claude-mythos-5-1", id: "anthropic.claude-mythos-5-1", without: NO_APAC },
  { model: "claude-opus-5-5", id: "anthropic.claude-opus-5-5", without: NO_APAC },
  { model: "claude-opus-5", id: "anthropic.claude-opus-5", without: NO_APAC },
  { model: "claude-opus-4-8", id: "anthropic.claude-opus-4-8", without: NO_APAC },
  { model: "claude-opus-4-7", id: "anthropic.claude-opus-4-7", without: NO_APAC },
  { model: "claude-opus-4-6", id: "anthropic.claude-opus-4-6-v1" },
  { model: "claude-opus-4-5", id: "anthropic.claude-opus-4-5-20251101-v1:0", without: ["apac", "jp", "au"] },
  { model: "claude-sonnet-5-5", id: "anthropic.claude-sonnet-5-5", without: NO_APAC },
  { model: "claude-sonnet-5", id: "anthropic.claude-sonnet-5", without: NO_APAC },
  { model: "claude-sonnet-4-6", id: "anthropic.claude-sonnet-4-6", without: NO_APAC },
  { model: "claude-sonnet-4-5", id: "anthropic.claude-sonnet-4-5-20250929-v1:0", without: NO_APAC },
  { model: "claude-haiku-5-5", id: "anthropic.claude-haiku-5-5", without: NO_APAC },
  { model: "claude-haiku-4-5", id: "anthropic.claude-haiku-4-5-20251001-v1:0", without: NO_APAC },
];

const BY_MODEL: ReadonlyMap<string, BedrockModel> = new Map(BEDROCK_MODELS.map((row) => [row.model, row]));
const GEO_PREFIX = /^(?:us|us-gov|eu|apac|jp|au|ca|global)\.(?=anthropic\.)/;

/** The geography that an AWS region's callers use first, as Claude Code chooses it. */
export function bedrockGeo(region: string): BedrockGeo {
  if (region.startsWith("us-gov-")) return "us-gov";
  if (region.startsWith("us-")) return "us";
  if (region.startsWith("eu-")) return "eu";
  return region.startsWith("ap-") ? "apac" : "global";
}

/**
 * The inference profile of a model, in any spelling, for a geography: `us.anthropic.claude-haiku-4-5-20251001-v1:0`.
 * Null for a model that is not built in.
 */
export function bedrockModelId(model: string, geo: BedrockGeo): string | null {
  const row = BY_MODEL.get(canonicalModel(model) ?? model);
  if (row === undefined) return null;
  return `${row.without?.includes(geo) === true ? "global" : geo}.${row.id}`;
}

/**
 * The foundation model that CountTokens wants, for the id that a request is sent to: without the profile's geography.
 * Null where the id does not tell the model (application inference profiles, provisioned throughput): it cannot be
 * counted there.
 */
export function countedModelId(id: string): string | null {
  const bare = id.slice(id.lastIndexOf("/") + 1).replace(GEO_PREFIX, "");
  return bare.startsWith("anthropic.") ? bare : null;
}
