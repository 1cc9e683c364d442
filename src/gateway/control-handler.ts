import type { IncomingMessage, ServerResponse } from "node:http";

import type { Identity } from "../identity/key-ring.ts";

/** Who calls the control endpoints of the data port, and how it is answered. */
export interface ControlCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Also sent as `request-id`. */
  readonly requestId: string;
  /** The caller's address, as the trusted proxies tell it. */
  readonly clientAddress: string;
  /** The path below any base prefix of the client's, with its query. */
  readonly path: string;
  /** Null at endpoints that are open: they authenticate by themselves. */
  readonly identity: Identity | null;
}

/**
 * Serves the endpoints of kind `control`: sign-in, spend limits, managed settings. `app/` puts the control API in. The handler
 * answers every call, errors too; it rejects only for what is a mistake in Weir.
 */
export interface ControlHandler {
  serve(call: ControlCall): Promise<void>;
}
