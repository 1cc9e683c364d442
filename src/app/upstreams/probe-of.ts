import type { Config, UpstreamConfig } from "../../config/schema.ts";
import { canonicalModel } from "../../message/models.ts";
import { providerRow } from "../../upstream/catalogue/providers.ts";
import { canCount, type Probe } from "../../upstream/probe/probe-request.ts";
import type { UpstreamDialect } from "../../upstream/upstream.ts";

/** The built-in model whose tokens are counted where no model is mapped: the smallest is enabled most often. */
const USUAL_MODEL = "claude-haiku-4-5";

type CustomConfig = Extract<UpstreamConfig, { provider: "custom" }>;

/** How an upstream is asked whether it is well; null where nothing is known that would cost nothing. */
export function probeOf(upstream: UpstreamConfig, dialect: UpstreamDialect, config: Config): Probe | null {
  if (upstream.provider === "custom") return customProbe(upstream, dialect, config);
  const { probe } = providerRow(upstream.provider);
  if (probe === null) return null;
  return probe.by === "get" ? probe : countingProbe(upstream, dialect, config);
}

function customProbe(upstream: CustomConfig, dialect: UpstreamDialect, config: Config): Probe | null {
  const { paths, wire } = upstream;
  if (wire === "openai-chat") return paths.messages === undefined ? { by: "get", path: "/v1/models" } : null;
  return countsTokens(upstream) && canCount(wire) ? countingProbe(upstream, dialect, config) : null;
}

/** Someone who has moved the messages has moved the counting, and says where, or there is none. */
function countsTokens({ paths }: CustomConfig): boolean {
  return paths.count_tokens !== "none" && (paths.count_tokens !== undefined || paths.messages === undefined);
}

function countingProbe(upstream: UpstreamConfig, dialect: UpstreamDialect, { models }: Config): Probe | null {
  const isCountable = (model: string): boolean => {
    try {
      const [wire = "anthropic"] = dialect.wires;
      dialect.path({ wire, operation: "count_tokens", stream: false, model, query: null });
      return true;
    } catch {
      // An id that does not tell the model, such as an application inference profile's.
      return false;
    }
  };
  const mapped = models.flatMap(({ upstream_model: ids }) => ids[upstream.name] ?? []).find(isCountable);
  const model = mapped ?? dialect.modelId(USUAL_MODEL, canonicalModel(USUAL_MODEL));
  return model === null || !isCountable(model) ? null : { by: "count_tokens", model };
}
