import { BUILTIN_MODELS } from "../../../src/message/models.ts";

/** Models that the engine behind the stand-ins has. */
const KNOWN_MODELS: ReadonlySet<string> = new Set(BUILTIN_MODELS.map((model) => model.id));
/** What stands answer with when the model at the provider is none of Anthropic's. */
export const STAND_IN_MODEL = "claude-sonnet-5-5";

const BEDROCK_ID =
  /^(?:(us|us-gov|eu|apac|jp|au|ca|global)\.)?anthropic\.(claude-[a-z0-9-]+?)(?:-20\d{6})?(?:-v\d+(?::\d+)?)?$/;

/** What a model id of Bedrock names. */
export interface BedrockModel {
  /** The engine's id. */
  readonly model: string;
  /** Whether the id is a foundation model's own, not an inference profile's. */
  readonly isBare: boolean;
}

/** A model id of Bedrock, read independently of Weir's catalogue; null when Bedrock would not know it. */
export function bedrockModel(id: string): BedrockModel | null {
  const [, prefix, model = ""] = BEDROCK_ID.exec(id) ?? [];
  return KNOWN_MODELS.has(model) ? { model, isBare: prefix === undefined } : null;
}

/** The engine's id behind a model id of Google Cloud; null when Google would not know it. */
export function vertexModel(id: string): string | null {
  const model = /^(claude-[a-z0-9-]+?)(?:@(?:20\d{6}|default))?$/.exec(id)?.[1] ?? "";
  return KNOWN_MODELS.has(model) ? model : null;
}

/** The engine's id behind an id of the Anthropic API; null when the API would not know it. */
export function anthropicModel(id: string): string | null {
  const model = id.replace(/-(?:20\d{6}|latest)$/, "");
  return KNOWN_MODELS.has(model) ? model : null;
}
