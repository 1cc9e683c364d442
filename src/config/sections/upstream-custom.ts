import { z } from "zod";

import { checked, checkedMembers, type MemberProblem } from "../fields/checked.ts";
import { baseUrl } from "../fields/network.ts";
import { customAuth } from "./auth-custom.ts";
import { bedrockGuardrail } from "./guardrail.ts";
import { upstreamName } from "./upstream-common.ts";
import { connectionFields } from "./upstream-connection.ts";
import { mappedTrafficFields, placeFields, regionLabel } from "./upstream-traffic.ts";

const pathTemplate = checked(z.string(), (value) => {
  const fix = "Write for example /endpoints/{model}/invocations; {model} stands for the model's id there.";
  if (!value.startsWith("/")) return { message: "must begin with /", fix };
  if (/[^\x21-\x7e]|#/.test(value)) return { message: "must be a path without spaces or fragment", fix };
  if (/[{}]/.test(value.replaceAll("{model}", ""))) return { message: "has a placeholder other than {model}", fix };
  return value.split(/[/?]/).includes("..") ? { message: "must not lead upwards", fix } : null;
});

const paths = z
  .strictObject({
    messages: pathTemplate.optional().describe("Path of a request whose answer comes whole, after `base_url`."),
    stream: pathTemplate.optional().describe("Path of a request for a stream; that of `messages` unless set."),
    count_tokens: z
      .union([pathTemplate, z.literal("none")], { error: "must be a path, or the word none" })
      .optional()
      .describe("Path that counts tokens, or `none`: Weir then asks the next upstream."),
  })
  .prefault({})
  .describe(
    "Paths after `base_url`, with `{model}` for the model's id there (percent-encoded). Unless `messages` is set, those that `wire` usually has.",
  );

const members = z.strictObject({
  provider: z
    .literal("custom")
    .describe("Any other endpoint: a model on SageMaker, behind a Vertex endpoint, or on a machine of your own."),
  name: upstreamName("custom"),
  base_url: baseUrl().describe("What stands before the paths."),
  wire: z
    .enum(["anthropic", "bedrock", "vertex", "openai-chat"])
    .default("anthropic")
    .describe(
      "Format that it speaks: Anthropic's Messages, Bedrock's InvokeModel, Vertex's rawPredict or OpenAI's Chat Completions.",
    ),
  stream_framing: z
    .enum(["none", "aws-event-stream"])
    .default("none")
    .describe(
      "What `wire`'s stream is wrapped in. SageMaker's `invocations-response-stream` puts it into `PayloadPart` messages of an AWS event stream: `aws-event-stream`. Bedrock's own framing is part of its wire.",
    ),
  paths,
  auth: customAuth.describe("The credential."),
  guardrail: bedrockGuardrail,
  region: regionLabel,
  ...placeFields(null),
  ...mappedTrafficFields,
  ...connectionFields,
});

/** An endpoint of the organisation's own. */
export const customUpstream = checkedMembers(members, (value) => {
  const problems: MemberProblem[] = [];
  if (value.guardrail !== undefined && value.wire !== "bedrock") {
    problems.push({
      path: ["guardrail"],
      message: `guardrail is Bedrock's and would not be enforced on wire: ${value.wire}`,
      fix: "Remove it, or set wire to bedrock if the endpoint speaks Bedrock's format.",
    });
  }
  if (value.stream_framing !== "none" && value.wire === "bedrock") {
    problems.push({
      path: ["stream_framing"],
      message: "wire: bedrock has its framing already, and would be wrapped twice",
      fix: "Remove stream_framing.",
    });
  }
  if (value.wire === "vertex" && value.paths.messages === undefined) {
    problems.push({
      code: "missing",
      path: ["paths", "messages"],
      message: "is missing: endpoints that speak Vertex's format have no path in common",
      fix: 'Set paths.messages, for example to "/{model}:rawPredict", and paths.stream to "/{model}:streamRawPredict".',
    });
  }
  const given = value.paths.messages;
  const streamsApart = value.wire === "bedrock" || value.wire === "vertex";
  if (given !== undefined && value.paths.stream === undefined && streamsApart) {
    problems.push({
      code: "missing",
      path: ["paths", "stream"],
      message: `is missing: in wire: ${value.wire} the path says whether a stream is asked for`,
      fix: "Set paths.stream to the path that streams.",
    });
  }
  return problems;
});
