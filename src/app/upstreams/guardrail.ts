import type { UpstreamConfig } from "../../config/schema.ts";
import type { EnforcedMember } from "../../upstream/dialect.ts";

type Guardrail = NonNullable<Extract<UpstreamConfig, { provider: "bedrock" }>["guardrail"]>;

/** The guardrail of Amazon Bedrock that every request to an upstream passes through; null for none. */
export function guardrailOf(upstream: UpstreamConfig): Guardrail | null {
  return upstream.provider === "bedrock" || upstream.provider === "custom" ? (upstream.guardrail ?? null) : null;
}

/** How InvokeModel is told of a guardrail. */
export function guardrailHeaders(guardrail: Guardrail): Readonly<Record<string, string>> {
  return {
    "x-amzn-bedrock-guardrailidentifier": guardrail.identifier,
    "x-amzn-bedrock-guardrailversion": guardrail.version,
    "x-amzn-bedrock-trace": guardrail.trace.toUpperCase(),
  };
}

/**
 * How it is told what to do with streams: in the body, as there is no header for it. Sync is its default, but a client's body
 * could say otherwise, and could name tags that keep parts of a prompt from the guardrail.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-streaming.html
 */
export function guardrailMember(guardrail: Guardrail): EnforcedMember {
  const isAsync = guardrail.stream_processing === "async";
  return {
    name: "amazon-bedrock-guardrailConfig",
    json: JSON.stringify({ streamProcessingMode: isAsync ? "ASYNCHRONOUS" : "SYNCHRONOUS" }),
    addedToStreams: isAsync,
  };
}
