import type { IncomingMessage, Server, ServerResponse } from "node:http";

import formBody from "@fastify/formbody";
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import {
  hasZodFastifySchemaValidationErrors,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from "fastify-type-provider-zod";

import type { Component } from "../core/component.ts";
import type { Logger } from "../core/logger.ts";
import { WeirError } from "../core/weir-error.ts";
import type { ControlCall, ControlHandler } from "../gateway/control-handler.ts";
import { publicError } from "../gateway/http/error-response.ts";
import { errorBody, errorHeaders } from "../wire/anthropic/error-body.ts";

/** The API with zod schemas as types. */
export type ControlApp = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>;

/** Adds the routes of one area. Their paths stand in gateway/endpoints.ts too, with kind `control`. */
export type ControlRoutes = (app: ControlApp) => void;

const MAX_BODY_BYTES = 1024 * 1024;

/** The control API of the data port: routes of several areas behind one handler. */
export class ControlApi implements ControlHandler, Component {
  readonly name = "control";
  readonly #app: ControlApp;
  readonly #routes: readonly ControlRoutes[];
  readonly #logger: Logger;
  readonly #calls = new WeakMap<IncomingMessage, ControlCall>();

  constructor(routes: readonly ControlRoutes[], { logger }: { logger: Logger }) {
    this.#routes = routes;
    this.#logger = logger;
    this.#app = Fastify({ bodyLimit: MAX_BODY_BYTES, logger: false }).withTypeProvider<ZodTypeProvider>();
  }

  async start(): Promise<void> {
    const app = this.#app;
    app.setValidatorCompiler(validatorCompiler);
    app.setSerializerCompiler(serializerCompiler);
    app.decorateRequest("call", { getter: callGetter(this.#calls) });
    app.addHook("onRequest", async (request, reply) => void reply.header("request-id", request.call.requestId));
    app.setErrorHandler((error: FastifyError, request, reply) => this.#answerError(error, request, reply));
    app.setNotFoundHandler((request, reply) =>
      sendRefusal(reply, request, new WeirError("weir:request:not_found", `Weir serves nothing at ${request.url}.`)),
    );
    await app.register(formBody);
    for (const routes of this.#routes) routes(app);
    await app.ready();
  }

  async stop(): Promise<void> {
    await this.#app.close();
  }

  async serve(call: ControlCall): Promise<void> {
    const { request, response } = call;
    this.#calls.set(request, call);
    // A base prefix that the client was configured with is not part of the route.
    request.url = call.path;
    const answered = new Promise<void>((resolve) => response.once("close", resolve));
    this.#app.routing(request, response);
    await answered;
  }

  #answerError(error: FastifyError | WeirError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const refusal = asRefusal(error);
    if (refusal.code === "weir:server:internal") {
      const detail = error.stack ?? error.message;
      this.#logger.error({ request_id: request.call.requestId, error: detail }, "internal error");
    }
    return sendRefusal(reply, request, refusal);
  }
}

declare module "fastify" {
  interface FastifyRequest {
    /** Who calls, from where. */
    readonly call: ControlCall;
  }
}

function callGetter(calls: WeakMap<IncomingMessage, ControlCall>): (this: FastifyRequest) => ControlCall {
  return function callOf(this: FastifyRequest): ControlCall {
    const call = calls.get(this.raw);
    if (call === undefined) throw new Error("a request that did not come through the gateway");
    return call;
  };
}

function asRefusal(error: FastifyError | WeirError): WeirError {
  if (error instanceof WeirError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const [first] = error.validation;
    const field = first?.instancePath.slice(1).replaceAll("/", ".") ?? "";
    const message = `${field === "" ? "The request" : field}: ${first?.message ?? error.message}`;
    return new WeirError("weir:request:invalid_field", message);
  }
  if (error.statusCode === 413)
    return new WeirError("weir:request:too_large", `The body is longer than ${MAX_BODY_BYTES} bytes.`);
  if (error.statusCode === 415)
    return new WeirError("weir:request:unsupported_media", "This content type is not served here.");
  if (error.statusCode === 400) return new WeirError("weir:request:malformed_json", "The request body is not valid.");
  return publicError(error);
}

function sendRefusal(reply: FastifyReply, request: FastifyRequest, refusal: WeirError): FastifyReply {
  return reply
    .code(refusal.row.status)
    .headers(errorHeaders(refusal))
    .type("application/json")
    .send(errorBody(refusal, request.call.requestId));
}
