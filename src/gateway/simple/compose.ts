import { isUtf8 } from "node:buffer";

import { z } from "zod";

import { WeirError } from "../../core/weir-error.ts";
import type { Exchange } from "../exchange.ts";
import { simpleAnswer } from "./answer.ts";

/** The simple API's request. Unknown fields are refused: a misspelt limit must not be silently ignored. */
const simpleRequest = z.strictObject({
  prompt: z.string().min(1),
  model: z.string().min(1).optional(),
  max_tokens: z.int().positive().optional(),
  temperature: z.number().min(0).max(1).optional(),
  session_id: z.string().max(200).optional(),
});

const DEFAULT_MODEL = "sonnet";
const DEFAULT_MAX_TOKENS = 4_000;
const ANALYSE = "Analyse what the user sends. State what it is, its main points, risks and open questions, briefly.";

/**
 * Makes a Messages request of a simple one, and arranges for the answer to be given in the simple form. Short model names
 * (`sonnet`, `opus`, `haiku`) mean the first listed model of that family. Throws WeirError naming the field.
 */
export function composeSimpleRequest(exchange: Exchange, body: Buffer): Buffer {
  const request = parse(body);
  exchange.sessionId = request.session_id ?? exchange.sessionId;
  const model = fullName(exchange, request.model ?? DEFAULT_MODEL);
  exchange.rewriteAnswer = simpleAnswer(exchange);
  const message = {
    model,
    max_tokens: request.max_tokens ?? DEFAULT_MAX_TOKENS,
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
    ...(exchange.endpoint.path.endsWith("/analyze") ? { system: ANALYSE } : {}),
    messages: [{ role: "user", content: request.prompt }],
  };
  return Buffer.from(JSON.stringify(message));
}

function parse(body: Buffer): z.infer<typeof simpleRequest> {
  if (!isUtf8(body)) throw new WeirError("weir:request:bad_encoding", "The request body is not valid UTF-8.");
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw new WeirError("weir:request:malformed_json", "The request body is not valid JSON.");
  }
  const parsed = simpleRequest.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  throw new WeirError("weir:request:invalid_field", `${field}${issue?.message ?? "invalid request"}`);
}

function fullName(exchange: Exchange, asked: string): string {
  const { routes } = exchange.snapshot;
  if (routes.resolve(asked) !== null) return asked;
  return routes.listed.find((model) => model.id.includes(`-${asked}-`))?.id ?? asked;
}
