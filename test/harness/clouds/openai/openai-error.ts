import { declined, violation, type CloudError } from "../dialect.ts";

/** OpenAI's `type` for each status. */
const TYPES: Readonly<Record<number, string>> = {
  401: "invalid_request_error",
  403: "invalid_request_error",
  404: "invalid_request_error",
  429: "requests",
  500: "server_error",
  502: "server_error",
  503: "server_error",
  504: "server_error",
  529: "server_error",
};
const CODES: Readonly<Record<number, string>> = { 401: "invalid_api_key", 429: "rate_limit_exceeded" };

/** An error object of OpenAI's APIs. */
export function openAiError({ status, message, code, param }: CloudError): Record<string, unknown> {
  const type = TYPES[status] ?? (status < 500 ? "invalid_request_error" : "server_error");
  return { message, type, param: param ?? null, code: code ?? CODES[status] ?? null };
}

/** A request that no gateway may send: its shape is wrong at `param`. */
export function wrongShape(message: string, param: string, code: string | null = null): Error {
  return violation({ status: 400, message, param, ...(code === null ? {} : { code }) }, `${param}: ${message}`);
}

/** A well-formed request that asks for what cannot be had. */
export function notPossible(message: string, param: string, code: string | null = null): Error {
  return declined({ status: 400, message, param, ...(code === null ? {} : { code }) });
}

/** A member that OpenAI does not know. */
export function unknownParameter(param: string): Error {
  return wrongShape(`Unknown parameter: '${param}'.`, param, "unknown_parameter");
}

/** A member that the model does not take. */
export function unsupported(param: string, model: string, instead: string | null = null): Error {
  const hint = instead === null ? "" : ` Use '${instead}' instead.`;
  return wrongShape(
    `Unsupported parameter: '${param}' is not supported with ${model}.${hint}`,
    param,
    "unsupported_parameter",
  );
}
