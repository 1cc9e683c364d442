import { scanRequest } from "../../wire/anthropic/request-scan.ts";
import { bedrockTarget } from "../../wire/bedrock/bedrock-target.ts";
import type { TargetWire, WireName } from "../../wire/codec.ts";
import { vertexTarget } from "../../wire/vertex/vertex-target.ts";
import type { Upstream, UpstreamRequest } from "../upstream.ts";

/** A call that costs nothing and shows an upstream to be well. */
export type Probe =
  | { readonly by: "get"; readonly path: string }
  /** Counts the tokens of one word. `model` is a model's id there. */
  | { readonly by: "count_tokens"; readonly model: string };

const API_VERSION = "2023-06-01";
const MAX_DEPTH = 10;

/** How formats ask for a count; null for Messages as it is. OpenAI's cannot. */
const COUNTING: Readonly<Partial<Record<WireName, TargetWire | null>>> = {
  anthropic: null,
  bedrock: bedrockTarget,
  vertex: vertexTarget,
};

/** The formats in which tokens can be counted. */
export function canCount(wire: WireName): boolean {
  return COUNTING[wire] !== undefined;
}

/** The request of a probe, without credentials. Throws WeirError where the upstream cannot be asked so. */
export function probeRequest(upstream: Upstream, probe: Probe): UpstreamRequest {
  const { dialect } = upstream;
  const common = ["accept", "application/json", "accept-encoding", "identity"];
  if (dialect.wires.includes("anthropic")) common.push("anthropic-version", API_VERSION);
  if (probe.by === "get") return { path: probe.path, method: "GET", headers: common, body: null };
  const wire = dialect.wires.find(canCount) ?? "anthropic";
  const { model } = probe;
  const path = dialect.path({ wire, operation: "count_tokens", stream: false, model, query: null });
  const body = Buffer.from(JSON.stringify({ model, messages: [{ role: "user", content: "Hi" }] }));
  const target = COUNTING[wire] ?? null;
  if (target === null) {
    return { path, method: "POST", headers: [...common, "content-type", "application/json"], body };
  }
  const scan = scanRequest(body, { maxDepth: MAX_DEPTH, requireMaxTokens: false });
  const call = target.encode({ operation: "count_tokens", body, scan, betas: [], upstreamModel: model });
  return { path, method: "POST", headers: [...call.headers, "accept-encoding", "identity"], body: call.body };
}
