import { z } from "zod";

import { checked } from "../fields/checked.ts";

const identifier = checked(z.string(), (value) => {
  if (/^(?:[a-z0-9]{1,64}|arn:aws[a-z-]*:bedrock:[a-z0-9-]+:\d{12}:guardrail(?:-profile)?\/[a-z0-9.:-]+)$/.test(value))
    return null;
  return {
    message: "must be the id or the ARN of a guardrail",
    fix: "Copy it from the Bedrock console: an id such as gr4b2c1d9e0f, or the whole ARN for another account's.",
  };
});

const version = checked(z.string(), (value) => {
  if (/^(?:DRAFT|[1-9]\d{0,7})$/.test(value)) return null;
  return { message: "must be the number of a version, or DRAFT", fix: 'Write it as text, for example "3".' };
});

/** A guardrail of Amazon Bedrock that every request passes through. */
export const bedrockGuardrail = z
  .strictObject({
    identifier: identifier.describe("Id or ARN of the guardrail, sent as `X-Amzn-Bedrock-GuardrailIdentifier`."),
    version: version.describe(
      "Version, or `DRAFT`, sent as `X-Amzn-Bedrock-GuardrailVersion`. A number keeps later edits out until you name them.",
    ),
    trace: z
      .enum(["disabled", "enabled", "enabled_full"])
      .default("disabled")
      .describe("Whether answers carry what the guardrail found. Off, because traces quote the text that was caught."),
    stream_processing: z
      .enum(["sync", "async"])
      .default("sync")
      .describe(
        "`sync` holds each part of a stream until it was judged; `async` sends at once and may show text that is then blocked.",
      ),
  })
  .optional()
  .describe(
    "Guardrail of Bedrock for every request to this upstream, also where the client named another. Absent: a guardrail that a Bedrock client names itself is passed on.",
  );
