import type { UpstreamConfig } from "../../config/schema.ts";
import { canonicalModel } from "../../message/models.ts";
import { bedrockGeo, bedrockModelId, type BedrockGeo } from "../../wire/bedrock/model-ids.ts";
import { vertexModelId } from "../../wire/vertex/model-ids.ts";

/** The id that a model has at an upstream when the configuration does not say; null when it is not tried there. */
export type ModelNames = (asked: string, canonical: string | null) => string | null;

type BedrockConfig = Extract<UpstreamConfig, { provider: "bedrock" }>;

/** What built-in models are called at an upstream. */
export function modelNames(upstream: UpstreamConfig): ModelNames {
  if (!upstream.builtin_models) return () => null;
  switch (upstream.provider) {
    case "bedrock": {
      const profiles = bedrockProfiles(upstream);
      return (_asked, canonical) => (canonical === null ? null : profiles(canonical));
    }
    case "bedrockMantle":
      // Ids of its own: with the maker's name, and neither version nor date.
      return (_asked, canonical) => (canonical === null ? null : `anthropic.${canonical}`);
    case "vertex":
      return (_asked, canonical) => (canonical === null ? null : vertexModelId(canonical));
    case "foundry":
      // Deployments are named for the model unless somebody chose another name, and then `upstream_model` says it.
      return (_asked, canonical) => canonical;
    case "anthropic":
    case "anthropicAws":
    case "sandbox":
    case "azure-openai":
    case "openai":
    case "custom":
    default:
      return firstPartyId;
  }
}

/**
 * The id of the Anthropic API behind any spelling: `us.anthropic.claude-haiku-4-5-20251001-v1:0` and
 * `claude-haiku-4-5@20251001` are `claude-haiku-4-5-20251001`. The date stays: who pinned a version gets it.
 */
function firstPartyId(asked: string, canonical: string | null): string | null {
  if (canonical === null) return null;
  const text = asked.toLowerCase();
  const bare = text
    .slice(Math.max(0, text.lastIndexOf("claude-")))
    .replace(/-v\d+(?::\d+)?$/, "")
    .replace("@", "-");
  return /^claude-[a-z0-9-]+$/.test(bare) && canonicalModel(bare) === canonical ? bare : canonical;
}

/** Regions with a geography of their own within Asia and the Pacific, which newer models have instead of the whole. */
const OWN_GEO: ReadonlyMap<string, BedrockGeo> = new Map([
  ["ap-northeast-1", "jp"],
  ["ap-northeast-3", "jp"],
  ["ap-southeast-2", "au"],
  ["ap-southeast-4", "au"],
]);

/**
 * Inference profiles of built-in models. A geography that was named is kept to: a model without a profile there is not served.
 * `auto` takes the region's geography, and the global profile where AWS has none for the model there.
 */
function bedrockProfiles({ inference_profiles: wanted, region }: BedrockConfig): (model: string) => string | null {
  if (wanted === "none") return bareId;
  if (wanted === "ca") return (model) => prefixed("ca", bareId(model));
  if (wanted !== "auto") return (model) => firstOf([wanted], model);
  const geos = [OWN_GEO.get(region), bedrockGeo(region)].filter((geo) => geo !== undefined);
  return (model) => firstOf(geos, model) ?? bedrockModelId(model, "global");
}

function prefixed(geo: string, id: string | null): string | null {
  return id === null ? null : `${geo}.${id}`;
}

function firstOf(geos: readonly BedrockGeo[], model: string): string | null {
  for (const geo of geos) {
    const id = bedrockModelId(model, geo);
    if (id?.startsWith(`${geo}.`) === true) return id;
  }
  return null;
}

function bareId(model: string): string | null {
  return bedrockModelId(model, "global")?.slice("global.".length) ?? null;
}
