import type { Socket } from "node:net";

import type { IdGenerator } from "../../core/id.ts";

/** What node's parser and server report, as status and message. Anything else is a malformed request. */
const KNOWN: Readonly<Record<string, { status: string; type: string; message: string }>> = {
  HPE_HEADER_OVERFLOW: {
    status: "431 Request Header Fields Too Large",
    type: "invalid_request_error",
    message: "The request headers are too large.",
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: "408 Request Timeout",
    type: "timeout_error",
    message: "The request did not arrive in time.",
  },
};

const MALFORMED = {
  status: "400 Bad Request",
  type: "invalid_request_error",
  message: "The HTTP request is malformed.",
};

/** Answers a request that is not HTTP, or not in time, and closes its connection. Nothing of it goes further. */
export function answerClientError(error: Error, socket: Socket, ids: IdGenerator): void {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, type, message } = KNOWN[code] ?? MALFORMED;
  const id = ids.next("req");
  const body = JSON.stringify({ type: "error", error: { type, message }, request_id: id });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `request-id: ${id}\r\nconnection: close\r\n\r\n${body}`,
  );
}
