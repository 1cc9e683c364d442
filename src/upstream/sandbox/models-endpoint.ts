import { ApiError } from "./api-error.ts";
import { sendJson, type Call } from "./call.ts";
import { modelFacts } from "./model-facts.ts";
import { pageOf, type Listed } from "./page.ts";
import type { SandboxModel } from "./sandbox-options.ts";

/** GET /v1/models and GET /v1/models/{id}. */
export class ModelsEndpoint {
  readonly #models: readonly Listed[];

  constructor(models: readonly SandboxModel[]) {
    this.#models = models.map(modelJson);
  }

  list(call: Call): void {
    sendJson(call, pageOf(this.#models, call.query));
  }

  retrieve(call: Call): void {
    const [id = ""] = call.params;
    const found = this.#models.find((model) => model.id === id);
    if (found === undefined) throw new ApiError(404, `model: ${id}`);
    sendJson(call, found);
  }
}

const YES = { supported: true };
const NO = { supported: false };

function modelJson(model: SandboxModel): Listed {
  const facts = modelFacts(model.id);
  return {
    id: model.id,
    type: "model",
    display_name: `${model.label} (sandbox)`,
    // The sandbox does not know when a model came out; the API uses the epoch for an unknown date.
    created_at: "1970-01-01T00:00:00Z",
    lifecycle: "active",
    line: facts.family,
    deprecated_at: null,
    retires_at: null,
    max_input_tokens: facts.contextTokens,
    max_tokens: facts.maxOutputTokens,
    capabilities: CAPABILITIES,
  };
}

/** What the sandbox does, whatever the real model can do. */
const CAPABILITIES = {
  batch: YES,
  citations: NO,
  code_execution: NO,
  context_management: { ...NO, clear_thinking_20251015: null, clear_tool_uses_20250919: null, compact_20260112: null },
  effort: { ...NO, low: NO, medium: NO, high: NO, xhigh: null, max: NO },
  image_input: YES,
  pdf_input: YES,
  server_tools: { ...YES, web_search: YES, code_execution: NO },
  structured_outputs: YES,
  thinking: { ...YES, types: { adaptive: YES, between_tools: YES, disabled: YES, enabled: YES } },
};
