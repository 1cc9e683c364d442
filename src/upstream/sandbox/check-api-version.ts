import { invalid } from "./api-error.ts";
import type { JsonObject } from "./json-value.ts";
import type { Turn } from "./message-request.ts";

/** The first API version after 2023-06-01; versions are dates and compare as text. */
const VERSION_2026 = "2026-10-21";
const SAMPLING_FIELDS = ["temperature", "top_p", "top_k"];

/**
 * Refuses what API version 2026-10-21 took out of the Messages API (migration guide of that version): sampling
 * parameters, documents in assistant messages, citations on text of user messages. The guide does not give the wording.
 */
export function checkApiVersion(version: string, body: JsonObject, turns: readonly Turn[]): void {
  if (version < VERSION_2026) return;
  const sampling = SAMPLING_FIELDS.find((field) => body[field] !== undefined);
  if (sampling !== undefined) throw invalid(`${sampling}: Extra inputs are not permitted`);
  turns.forEach((turn, index) => {
    turn.blocks.forEach((block, at) => {
      const place = `messages.${index}.content.${at}`;
      if (turn.role === "assistant" && block["type"] === "document") {
        throw invalid(`${place}: document blocks are not permitted in assistant messages`);
      }
      if (turn.role === "user" && block["type"] === "text" && Array.isArray(block["citations"])) {
        throw invalid(`${place}.text.citations: Extra inputs are not permitted`);
      }
    });
  });
}
