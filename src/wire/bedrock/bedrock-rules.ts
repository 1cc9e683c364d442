import { oneOf } from "../cloud/feature-rule.ts";
import { FIRST_PARTY_BETAS, FIRST_PARTY_FIELDS, FIRST_PARTY_TOOLS } from "../cloud/first-party.ts";
import { RuleBook } from "../cloud/rule-book.ts";

/**
 * What InvokeModel refuses of the Messages API ("Extra inputs are not permitted", "invalid beta flag"). Sources, November
 * 2026: the AWS user guide's Messages pages, Anthropic's features overview, what Claude Code sends and withholds in its
 * Bedrock mode, and reports of gateways that met the refusals. `context_management`, `output_config`, `metadata`,
 * `thinking` and everything else that no row names is passed on.
 */
export const BEDROCK_RULES = new RuleBook({
  platform: "Amazon Bedrock",
  fields: [
    ...FIRST_PARTY_FIELDS,
    {
      field: "service_tier",
      betas: [],
      action: "warn",
      harmless: oneOf('"standard_only"'),
      why: "Bedrock takes the tier in the header x-amzn-bedrock-service-tier.",
    },
    {
      field: "inference_geo",
      betas: [],
      action: "refuse",
      harmless: isGeoOf,
      why: "There the inference profile decides where a request runs: choose a model id of that geography.",
    },
    {
      field: "messages[].output_config",
      betas: ["per-turn-control-2026-07-01"],
      takenWith: ["mid-conversation-output-config-2026-07-01"],
      action: "warn",
      why: "The effort of the whole request counts.",
    },
  ],
  betas: [
    ...FIRST_PARTY_BETAS,
    {
      beta: "advanced-tool-use-2025-11-20",
      becomes: ["tool-search-tool-2025-10-19", "tool-examples-2025-10-29"],
      why: "It has two names there.",
    },
    { beta: "web-search-2025-03-05", becomes: [], why: "Web search does not run there." },
    { beta: "max-tokens-3-5-sonnet-2024-07-15", becomes: [], why: "Its model is retired." },
  ],
  tools: [
    ...FIRST_PARTY_TOOLS,
    { type: "web_search_2", why: "Web search runs at Anthropic itself and on Google Cloud." },
  ],
  countedBetas: ["claude-code-20250219", "context-management-2025-06-27"],
});

/** Whether a profile keeps to the geography that was asked for: `us.…` to `us`; anywhere will do for `global`. */
function isGeoOf(json: string, upstreamModel: string): boolean {
  if (json === '"global"') return true;
  const profile = upstreamModel.slice(upstreamModel.lastIndexOf("/") + 1);
  return json === '"us"' && (profile.startsWith("us.") || profile.startsWith("us-gov."));
}
