import type { ServerResponse } from "node:http";

import { WeirError } from "../../core/weir-error.ts";
import { errorBody, errorHeaders } from "../../wire/anthropic/error-body.ts";
import type { ClientWire } from "../../wire/codec.ts";

/** Whom an error is answered to. */
export interface ErrorRecipient {
  readonly id: string;
  readonly response: ServerResponse;
  /** The format that the client speaks; Messages when it is absent or null. */
  readonly clientWire?: ClientWire | null;
}

/**
 * Answers with an error in the envelope of the client's format. Does nothing when a response has begun or the client has gone.
 * A request whose body was not read to its end closes its connection: what follows on it would be that body.
 */
export function sendError({ id, response, clientWire = null }: ErrorRecipient, error: WeirError): void {
  if (response.headersSent || response.destroyed) return;
  const encoded = clientWire?.encodeError(error, id) ?? null;
  const body = encoded?.body ?? errorBody(error, id);
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    "request-id": id,
    ...errorHeaders(error),
    ...encoded?.headers,
  };
  if (!response.req.complete) headers["connection"] = "close";
  response.writeHead(encoded?.status ?? error.row.status, headers);
  response.end(response.req.method === "HEAD" ? undefined : body);
}

/** What a caller may know of a failure: WeirErrors as they are, anything else as an internal error. */
export function publicError(error: unknown): WeirError {
  if (error instanceof WeirError) return error;
  return new WeirError(
    "weir:server:internal",
    "Weir met an internal error. The operator finds it in the log by this request id.",
    {
      cause: error,
    },
  );
}
