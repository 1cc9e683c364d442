import type { Readable } from "node:stream";

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { OtlpMetrics } from "../../telemetry/metrics/otlp-metrics.ts";
import { OTLP_SIGNALS, type OtlpSignal, type OtlpSink } from "../../telemetry/otlp/otlp-sink.ts";
import type { ControlRoutes } from "../control-api.ts";
import { readExport } from "./read-export.ts";

/** Exporters send a few hundred kilobytes at most; what is beyond this is no telemetry. */
const MAX_EXPORT_BYTES = 8 * 1024 * 1024;

/**
 * `POST /v1/metrics`, `/v1/logs`, `/v1/traces`: OTLP over HTTP, JSON or protobuf. Always answered with 200, whatever is in it
 * and wherever it goes: an exporter that is refused writes an error at each of its rounds.
 */
export function otlpRoutes({ sink, metrics }: { sink: OtlpSink; metrics: OtlpMetrics }): ControlRoutes {
  return (app) => {
    app.register(async (scope: FastifyInstance) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser("*", async (_request: FastifyRequest, payload: Readable) =>
        readExport(payload, MAX_EXPORT_BYTES),
      );
      for (const signal of OTLP_SIGNALS) {
        scope.post(`/v1/${signal}`, (request, reply) => {
          take(request, signal);
          return acknowledge(request, reply);
        });
      }
      // A content type that is none, or a body that broke off.
      scope.setErrorHandler((_error, request, reply) => {
        const signal = OTLP_SIGNALS.find((candidate) => request.url.startsWith(`/v1/${candidate}`));
        if (signal !== undefined) metrics.received(signal, "broken_off", 0);
        return acknowledge(request, reply);
      });
    });

    function take(request: FastifyRequest, signal: OtlpSignal): void {
      const { body } = request;
      if (body === null) {
        metrics.received(signal, "too_large", 0);
        return;
      }
      const { identity } = request.call;
      if (!Buffer.isBuffer(body) || body.length === 0 || identity === null) {
        metrics.received(signal, "accepted", 0);
        return;
      }
      metrics.received(signal, "accepted", body.length);
      const { organizationId, userId, keyId } = identity.principal;
      sink.accept({
        signal,
        contentType: request.headers["content-type"] ?? "application/x-protobuf",
        contentEncoding: request.headers["content-encoding"] ?? null,
        body,
        organizationId,
        userId,
        keyId,
      });
    }
  };
}

/** Success as OTLP has it: an empty message in the encoding of the request. */
function acknowledge(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const isJson = /^application\/json\b/i.test(request.headers["content-type"] ?? "");
  reply.code(200);
  return isJson ? reply.type("application/json").send("{}") : reply.type("application/x-protobuf").send("");
}
