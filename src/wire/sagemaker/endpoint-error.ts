import { decodeBedrockError } from "../bedrock/bedrock-errors.ts";
import { isObject, parseJson } from "../cloud/envelope.ts";

/** An error as the container behind an endpoint gave it. */
export interface ContainerError {
  readonly status: number;
  readonly body: Buffer;
}

/**
 * What is inside an error answer of SageMaker's InvokeEndpoint: the container's own status and answer, which come as text in
 * a ModelError (424); for an error of SageMaker itself, a canonical envelope with its words.
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
 */
export function unwrapEndpointError(
  status: number,
  body: Buffer,
  headers: Readonly<Record<string, unknown>>,
): ContainerError {
  const parsed = parseJson(body.toString("utf8"));
  if (isObject(parsed)) {
    const { OriginalStatusCode: original, OriginalMessage: message } = parsed;
    if (typeof original === "number" && isErrorStatus(original) && typeof message === "string" && message !== "") {
      return { status: original, body: Buffer.from(message) };
    }
  }
  return { status, body: decodeBedrockError(status, body, headers) };
}

function isErrorStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 400 && status <= 599;
}
