import { CLOUDS } from "../../harness/clouds/clouds.ts";
import { BEDROCK, CHAT, MESSAGES, RESPONSES, VERTEX } from "./client-format.ts";
import type { Pairing } from "./fault-matrix.ts";

/** Messages clients of every kind of upstream. */
export const MESSAGES_PAIRINGS: readonly Pairing[] = CLOUDS.map(({ kind }) => ({ client: MESSAGES, kind }));

/** Clients of other formats: where the upstream speaks theirs and its bytes pass, where it speaks Messages, and where neither does. */
export const OTHER_PAIRINGS: readonly Pairing[] = [
  { client: BEDROCK, kind: "bedrock" },
  { client: BEDROCK, kind: "anthropic" },
  { client: BEDROCK, kind: "openai" },
  { client: VERTEX, kind: "vertex" },
  { client: VERTEX, kind: "bedrock" },
  { client: CHAT, kind: "openai" },
  { client: CHAT, kind: "openai-compatible" },
  { client: CHAT, kind: "anthropic" },
  { client: CHAT, kind: "bedrock" },
  { client: RESPONSES, kind: "openai-responses" },
  { client: RESPONSES, kind: "foundry" },
  { client: RESPONSES, kind: "vertex" },
];
