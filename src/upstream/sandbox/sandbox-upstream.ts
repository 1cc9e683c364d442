import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import { systemClock, type Clock } from "../../core/clock.ts";
import type { Component } from "../../core/component.ts";
import { IdGenerator } from "../../core/id.ts";
import { silentLogger, type Logger } from "../../core/logger.ts";
import type { EngineContext } from "./answer-engine.ts";
import { ApiError, invalid } from "./api-error.ts";
import { BatchesEndpoint } from "./batches-endpoint.ts";
import { sendError } from "./call.ts";
import { FilesEndpoint } from "./files-endpoint.ts";
import { MessagesEndpoint } from "./messages-endpoint.ts";
import { ModelsEndpoint } from "./models-endpoint.ts";
import { PromptCache } from "./prompt-cache.ts";
import { ClientGone, decodeBody, readBody } from "./read-body.ts";
import { newCounters } from "./sandbox-counters.ts";
import type { SandboxOptions, SandboxStats } from "./sandbox-options.ts";
import { findRoute, sandboxRoutes, type Route } from "./sandbox-routes.ts";

const DEFAULT_SEED = "weir";
const DEFAULT_BATCH_DURATION_MS = 1_000;
/** Longer than any client's idle time, so that a pooled connection is never closed under a request. */
const KEEP_ALIVE_MS = 300_000;

/**
 * The built-in upstream: a Messages API on a loopback port of this process, without any model behind it. It listens on
 * an ephemeral port, so the whole way of a request, transport included, is the same as with a real upstream. Every answer
 * carries `x-weir-sandbox: 1`. See directive.ts for how one request steers its own answer.
 */
export class SandboxUpstream implements Component {
  readonly name = "sandbox-upstream";
  readonly #options: SandboxOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #ids: IdGenerator;
  readonly #counters = newCounters();
  readonly #batches: BatchesEndpoint;
  readonly #routes: readonly Route[];
  #server: Server | null = null;
  #url: string | null = null;

  constructor(options: SandboxOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    this.#ids = new IdGenerator(this.#clock);
    const seed = options.seed ?? DEFAULT_SEED;
    const files = new FilesEndpoint(this.#clock);
    const engine: EngineContext = {
      seed,
      models: options.models,
      cache: new PromptCache(),
      fileSize: (id) => files.size(id),
    };
    this.#batches = new BatchesEndpoint(engine, {
      durationMs: options.batchDurationMs ?? DEFAULT_BATCH_DURATION_MS,
      clock: this.#clock,
      baseUrl: () => this.url,
    });
    this.#routes = sandboxRoutes({
      messages: new MessagesEndpoint(engine, options, { counters: this.#counters, clock: this.#clock }),
      models: new ModelsEndpoint(options.models),
      batches: this.#batches,
      files,
    });
  }

  /** Where it listens, such as `http://127.0.0.1:40123`, without a trailing slash. Throws before it has been started. */
  get url(): string {
    if (this.#url === null) throw new Error("the sandbox upstream has no address before it has been started");
    return this.#url;
  }

  /** What it has done so far. */
  stats(): SandboxStats {
    return { ...this.#counters };
  }

  async start(): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 }, (request, response) => {
      this.#serve(request, response);
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the sandbox upstream has no TCP address");
    this.#url = `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.#batches.stop();
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const requestId = this.#ids.next("req").replace("req_", "req_sandbox_");
    this.#counters.requests += 1;
    this.#handle(request, response, requestId).catch((error: unknown) => {
      if (error instanceof ApiError) {
        sendError(response, requestId, error);
        return;
      }
      if (error instanceof ClientGone) return;
      this.#logger.error({ err: error, requestId }, "sandbox request failed");
      sendError(response, requestId, new ApiError(500, "Internal server error"));
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    const target = splitTarget(request.url ?? "/");
    const { match, otherMethods } = findRoute(this.#routes, request.method ?? "GET", target.path);
    if (match === null) throw noRoute(otherMethods);
    const { route, params } = match;
    checkHeaders(request, route);
    const sent = await readBody(request, route.maxBodyBytes);
    this.#options.onRequest?.({
      method: route.method,
      url: request.url ?? "/",
      headers: request.headers,
      body: sent,
    });
    const body = await decodeBody(sent, request.headers["content-encoding"], route.maxBodyBytes);
    await route.handle({ request, response, requestId, params, query: target.query, body });
  }
}

function splitTarget(url: string): { readonly path: string; readonly query: string } {
  const at = url.indexOf("?");
  return at < 0 ? { path: url, query: "" } : { path: url.slice(0, at), query: url.slice(at + 1) };
}

function checkHeaders(request: IncomingMessage, route: Route): void {
  const { "x-api-key": key, authorization } = request.headers;
  const hasBearer = /^bearer \S/i.test(authorization ?? "");
  if (route.needsAuth && !hasBearer && (key === undefined || key === "")) {
    throw new ApiError(401, "x-api-key header is required");
  }
  if (route.needsVersion && request.headers["anthropic-version"] === undefined) {
    throw invalid("anthropic-version: header is required");
  }
}

function noRoute(otherMethods: readonly string[]): ApiError {
  if (otherMethods.length === 0) return new ApiError(404, "Not found");
  return new ApiError(405, "Method Not Allowed", { headers: { allow: otherMethods.join(", ") } });
}
