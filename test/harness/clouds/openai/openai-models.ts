/** How OpenAI itself treats a model by its name. */
export interface ModelTraits {
  readonly isReasoning: boolean;
  readonly isEmbedding: boolean;
}

/** Reasoning models take neither `max_tokens` nor sampling parameters. */
export function traitsOf(model: string): ModelTraits {
  return { isReasoning: /^(?:gpt-5|gpt-6|o\d)/.test(model), isEmbedding: model.includes("embedding") };
}
