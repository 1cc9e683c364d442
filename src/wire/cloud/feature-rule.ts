/**
 * What a cloud's Claude endpoint makes of one feature of the Messages API that it does not serve as the API does. The
 * tables list these alone: a field or beta that no row names is passed on, so that new ones work without a new Weir.
 */
export interface FieldRule {
  /** The body's field: `speed`, or below the top level `messages[].output_config`. */
  readonly field: string;
  /** The betas that belong to it, which stay or go with it. */
  readonly betas: readonly string[];
  /** `warn`: it is a hint, left out with a warning. `refuse`: without it the answer would be to another question. */
  readonly action: "warn" | "refuse";
  /** Whether a value (as JSON text) asks for nothing that leaving it out would change. `null` never does. */
  readonly harmless?: (json: string, upstreamModel: string) => boolean;
  /** Betas under which the endpoint does take the field: with one of them the rule does not apply. */
  readonly takenWith?: readonly string[];
  /** Why, as a sentence for the caller. */
  readonly why: string;
}

/** A beta that has no field of its own at the endpoint, or another name there. */
export interface BetaRule {
  readonly beta: string;
  /** The betas that are sent instead; none: it is left out. */
  readonly becomes: readonly string[];
  readonly why: string;
}

/** A kind of tool that the endpoint does not run, by how its type begins. */
export interface ToolRule {
  readonly type: string;
  readonly why: string;
}

export interface CloudRules {
  /** As it stands in messages: `Amazon Bedrock`. */
  readonly platform: string;
  readonly fields: readonly FieldRule[];
  readonly betas: readonly BetaRule[];
  readonly tools: readonly ToolRule[];
  /** The betas that counting tokens takes; others are left out there. */
  readonly countedBetas: readonly string[];
}

/** For `harmless`: exactly these JSON texts. */
export function oneOf(...values: readonly string[]): (json: string) => boolean {
  return (json) => values.includes(json);
}
