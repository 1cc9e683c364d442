import { customPathsOf } from "../../config/custom-paths.ts";
import type { UpstreamConfig } from "../../config/schema.ts";
import { parametersOf } from "../../upstream/catalogue/configured.ts";
import { providerRow } from "../../upstream/catalogue/providers.ts";
import { CatalogueDialect } from "../../upstream/dialect.ts";
import { countedModelId } from "../../wire/bedrock/model-ids.ts";
import type { WireName } from "../../wire/codec.ts";
import { guardrailMember, guardrailOf } from "./guardrail.ts";
import { modelNames } from "./model-names.ts";

type OpenAiConfig = Extract<UpstreamConfig, { provider: "openai" | "azure-openai" }>;

/** What a configured upstream speaks and where. */
export function dialectOf(upstream: UpstreamConfig): CatalogueDialect {
  const guardrail = guardrailOf(upstream);
  const isCustom = upstream.provider === "custom";
  return new CatalogueDialect({
    row: providerRow(upstream.provider),
    parameters: parametersOf(upstream),
    wires: wiresOf(upstream),
    custom: isCustom ? customPathsOf(upstream) : null,
    modelId: modelNames(upstream),
    enforcedMember: guardrail === null ? null : guardrailMember(guardrail),
    framing: isCustom ? upstream.stream_framing : "none",
    hasEmbeddings: isOpenAi(upstream) && upstream.apis.includes("embeddings"),
    // CountTokens knows foundation models alone, not the profiles that they are called by.
    ...(upstream.provider === "bedrock" ? { countedModelId } : {}),
  });
}

/** The formats that the configuration says it speaks; null for its provider's. */
function wiresOf(upstream: UpstreamConfig): readonly WireName[] | null {
  if (upstream.provider === "custom") return [upstream.wire];
  if (!isOpenAi(upstream)) return null;
  const wires = upstream.apis.flatMap((api) => OPENAI_WIRES[api]);
  const spoken = lacksResponses(upstream) ? wires.filter((wire) => wire !== "openai-responses") : wires;
  return spoken.length === 0 ? wires : spoken;
}

/** Versions of Azure's API are dates; those before this one have no Responses. */
const FIRST_WITH_RESPONSES = "2025-03-01";

function lacksResponses(upstream: OpenAiConfig): boolean {
  if (upstream.provider !== "azure-openai" || upstream.api !== "deployments") return false;
  const { api_version: version = "" } = upstream;
  return /^\d/.test(version) && version < FIRST_WITH_RESPONSES;
}

/** Embeddings are no way to ask for a message. */
const OPENAI_WIRES: Readonly<Record<OpenAiConfig["apis"][number], readonly WireName[]>> = {
  chat_completions: ["openai-chat"],
  responses: ["openai-responses"],
  embeddings: [],
};

function isOpenAi(upstream: UpstreamConfig): upstream is OpenAiConfig {
  return upstream.provider === "openai" || upstream.provider === "azure-openai";
}
