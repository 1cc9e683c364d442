import type { Usage } from "../../../src/message/usage.ts";
import { isObject, type JsonObject } from "../../../src/upstream/sandbox/json-value.ts";
import type { Charge } from "../../harness/clouds/deliver.ts";

export type Tokens = Pick<
  Usage,
  "inputTokens" | "outputTokens" | "cacheReadTokens" | "cacheWrite5mTokens" | "cacheWrite1hTokens"
>;

export const NO_TOKENS: Tokens = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
};

/**
 * The tokens that the ledger must hold for what a provider billed. OpenAI's formats count what was written to a cache as
 * plain input: they have no name for it.
 */
export function expectedTokens({ usage }: Charge, speaksMessages: boolean): Tokens {
  const members = usage ?? {};
  const writes = count(members, "cache_creation_input_tokens");
  const common = {
    outputTokens: count(members, "output_tokens"),
    cacheReadTokens: count(members, "cache_read_input_tokens"),
  };
  if (!speaksMessages) {
    const inputTokens = count(members, "input_tokens") + writes;
    return { ...common, inputTokens, cacheWrite5mTokens: 0, cacheWrite1hTokens: 0 };
  }
  const split = members["cache_creation"];
  const longWrites = isObject(split) ? count(split, "ephemeral_1h_input_tokens") : 0;
  return {
    ...common,
    inputTokens: count(members, "input_tokens"),
    cacheWrite5mTokens: writes - longWrites,
    cacheWrite1hTokens: longWrites,
  };
}

function count(members: JsonObject, name: string): number {
  return typeof members[name] === "number" ? members[name] : 0;
}
