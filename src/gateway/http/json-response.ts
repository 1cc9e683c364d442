import type { ErrorRecipient } from "./error-response.ts";

/** Answers with a JSON document. */
export function sendJson({ id, response }: ErrorRecipient, status: number, document: unknown): void {
  const body = JSON.stringify(document);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    "cache-control": "no-store",
    "request-id": id,
  });
  response.end(response.req.method === "HEAD" ? undefined : body);
}
