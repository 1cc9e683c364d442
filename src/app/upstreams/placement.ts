import type { UpstreamConfig } from "../../config/schema.ts";
import type { Placement, UpstreamDialect } from "../../upstream/upstream.ts";

/** Where a configured upstream is, for routing. */
export function placementOf(upstream: UpstreamConfig, { wires }: UpstreamDialect): Placement {
  const { cloud, region, weight } = upstream;
  // OpenAI's formats have no cache_control, and their servers keep what they have seen without being asked.
  const isOpenAis = wires.every((wire) => wire.startsWith("openai-"));
  return { cloud: cloud ?? null, region: region ?? null, weight, promptCache: isOpenAis ? "implicit" : "explicit" };
}
