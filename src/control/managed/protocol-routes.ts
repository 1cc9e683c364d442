import type { ControlRoutes } from "../control-api.ts";
import { protocolDocument, protocolPage } from "./protocol-document.ts";

/** `GET /protocol`: what clients can expect, in words, and as JSON to those that ask for it. */
export function protocolRoutes({ version }: { version: string }): ControlRoutes {
  const document = protocolDocument(version);
  const page = protocolPage(document);
  return (app) => {
    app.get("/protocol", (request, reply) => {
      reply.header("vary", "Accept");
      const wantsJson = /application\/json/i.test(request.headers.accept ?? "");
      return wantsJson ? reply.send(document) : reply.type("text/markdown; charset=utf-8").send(page);
    });
  };
}
