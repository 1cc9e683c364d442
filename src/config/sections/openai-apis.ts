import { z } from "zod";

import { checked } from "../fields/checked.ts";

const OPENAI_APIS = ["chat_completions", "responses", "embeddings"] as const;
export type OpenAiApi = (typeof OPENAI_APIS)[number];

/** Which of OpenAI's APIs an upstream has. */
export function openAiApis(fallback: readonly OpenAiApi[]) {
  return checked(z.array(z.enum(OPENAI_APIS)).min(1), (list) => {
    if (new Set(list).size === list.length) return null;
    return { message: "names an API twice", fix: "Remove one of the two." };
  })
    .default([...fallback])
    .describe(
      "APIs that it has. A client of one of them is passed on in it; for all other clients the first of `chat_completions` and `responses` listed here is spoken.",
    );
}
