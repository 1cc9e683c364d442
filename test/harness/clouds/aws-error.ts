import { randomUUID } from "node:crypto";

import { jsonAnswer, type CloudError, type WholeAnswer } from "./dialect.ts";

/** The exception that AWS answers with for each status. */
const EXCEPTIONS: Readonly<Record<number, string>> = {
  400: "ValidationException",
  401: "UnrecognizedClientException",
  403: "AccessDeniedException",
  404: "ResourceNotFoundException",
  408: "ModelTimeoutException",
  424: "ModelErrorException",
  429: "ThrottlingException",
  500: "InternalServerException",
  503: "ServiceUnavailableException",
};

/** The name of AWS's exception for an error. */
export function exceptionName(error: CloudError): string {
  return (
    error.code ??
    EXCEPTIONS[error.status] ??
    (error.status < 500 ? "ValidationException" : "ServiceUnavailableException")
  );
}

/** An error as AWS's JSON services answer it; the header's type carries a namespace, as Bedrock's does. */
export function awsErrorAnswer(error: CloudError, namespace: string): WholeAnswer {
  const type = `${exceptionName(error)}:http://internal.amazon.com/coral/${namespace}/`;
  const headers = { "x-amzn-errortype": type, "x-amzn-requestid": randomUUID(), ...error.headers };
  return jsonAnswer({ message: error.message }, headers, error.status);
}
