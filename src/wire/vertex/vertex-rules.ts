import { oneOf } from "../cloud/feature-rule.ts";
import { FIRST_PARTY_BETAS, FIRST_PARTY_FIELDS, FIRST_PARTY_TOOLS } from "../cloud/first-party.ts";
import { RuleBook } from "../cloud/rule-book.ts";

/**
 * What rawPredict of Google's Agent Platform (Vertex AI) refuses of the Messages API. Sources as for Bedrock; it takes more
 * of the betas, and runs web search.
 */
export const VERTEX_RULES = new RuleBook({
  platform: "Vertex AI",
  fields: [
    ...FIRST_PARTY_FIELDS,
    {
      field: "service_tier",
      betas: [],
      action: "warn",
      harmless: oneOf('"standard_only"'),
      why: "Vertex takes the kind of capacity in the header x-vertex-ai-llm-request-type.",
    },
    {
      field: "inference_geo",
      betas: [],
      action: "refuse",
      harmless: oneOf('"global"'),
      why: "There the location of the upstream decides where a request runs.",
    },
  ],
  betas: [
    ...FIRST_PARTY_BETAS,
    {
      beta: "advanced-tool-use-2025-11-20",
      becomes: ["tool-search-tool-2025-10-19"],
      why: "It has another name there.",
    },
    { beta: "fine-grained-tool-streaming-2025-05-14", becomes: [], why: "It needs no beta." },
    { beta: "token-efficient-tools-2025-02-19", becomes: [], why: "It needs no beta." },
    { beta: "output-128k-2025-02-19", becomes: [], why: "It needs no beta." },
  ],
  tools: FIRST_PARTY_TOOLS,
  countedBetas: ["claude-code-20250219", "interleaved-thinking-2025-05-14", "context-management-2025-06-27"],
});
