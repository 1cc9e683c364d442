import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocketOptions } from "node:tls";

import type { Component } from "../core/component.ts";
import type { ErrorCode } from "../core/error-codes.ts";
import { WeirError } from "../core/weir-error.ts";
import { wireOfUnknown } from "./cloud-endpoints.ts";
import { matchEndpoint, type EndpointMatch } from "./endpoints.ts";
import { Exchange } from "./exchange.ts";
import { discardBody } from "./http/discard-body.ts";
import { publicError, sendError } from "./http/error-response.ts";
import { checkFraming } from "./http/host-check.ts";
import { answerClientError } from "./http/parse-error.ts";
import { serveControl } from "./local/serve-control.ts";
import { serveLocal } from "./local/serve-local.ts";
import { serveObjects } from "./objects/serve-objects.ts";
import { Pipeline } from "./pipeline.ts";
import type { GatewayServices } from "./services.ts";
import { CLIENT_WIRES } from "./wires.ts";

export interface GatewayServerOptions {
  readonly host: string;
  readonly port: number;
  readonly maxHeaderBytes: number;
  readonly maxConnections: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** How long `stop` waits for what is in progress. */
  readonly drainMs: number;
  /** Certificate and TLS settings, or null for plain HTTP. */
  readonly tls: TLSSocketOptions | null;
}

/** Idle keep-alive connections live longer than the 60 s of common load balancers, so that those close first. */
const KEEP_ALIVE_MS = 65_000;
/** While draining: how often connections that fell idle are closed. */
const DRAIN_SWEEP_MS = 50;

/** Refusals of requests that two servers on the way may read differently. */
const AMBIGUOUS: ReadonlySet<ErrorCode> = new Set([
  "weir:request:bad_host",
  "weir:request:bad_encoding",
  "weir:request:malformed_target",
  "weir:request:bad_version",
]);

/** The data port: node's HTTP server in front of the pipeline. */
export class GatewayServer implements Component {
  readonly name = "gateway";
  readonly #options: GatewayServerOptions;
  readonly #services: GatewayServices;
  readonly #pipeline: Pipeline;
  readonly #server: Server | TlsServer;
  /** Connections on which an ambiguous request came: what follows on them is not served. */
  readonly #distrusted = new WeakSet<Socket>();
  /** A count and not a set of them: a set would make V8 keep each exchange, with its body, until a full collection. */
  #inProgress = 0;
  /** The time to drain is over: connections that close now are closed by Weir. */
  #cutsOff = false;
  #idle: (() => void) | null = null;

  constructor(options: GatewayServerOptions, services: GatewayServices) {
    this.#options = options;
    this.#services = services;
    this.#pipeline = new Pipeline(services);
    const http = {
      maxHeaderSize: options.maxHeaderBytes,
      headersTimeout: options.headersTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Weir checks it itself: node's own answer would lack a request id and let the connection go on.
      requireHostHeader: false,
      noDelay: true,
    };
    this.#server =
      options.tls === null
        ? createServer(http)
        : createTlsServer({ ...http, ...options.tls, handshakeTimeout: 10_000 });
    this.#server.maxConnections = options.maxConnections;
    this.#server.on("request", (request, response) => this.#serve(request, response));
    // An expectation that nobody knows is left unmet (RFC 9110, 10.1.1); node's own refusal would lack a request id.
    this.#server.on("checkExpectation", (request, response) => this.#serve(request, response));
    this.#server.on("clientError", (error: Error, socket: Socket) => {
      services.metrics.refused("http");
      answerClientError(error, socket, services.ids);
    });
  }

  /** Where it listens; meaningful after `start`. */
  get address(): AddressInfo {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the gateway is not listening");
    return address;
  }

  get inProgress(): number {
    return this.#inProgress;
  }

  /** Listens. Rejects with the system's error (EADDRINUSE, EACCES). */
  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#options.port, this.#options.host, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
  }

  /** Takes no new connections, lets what is in progress finish (up to `drainMs`), then closes the rest. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const sweep = setInterval(() => this.#server.closeIdleConnections(), DRAIN_SWEEP_MS);
    await Promise.race([this.#drained(), after(this.#options.drainMs)]);
    clearInterval(sweep);
    this.#cutsOff = true;
    this.#server.closeAllConnections();
    await closed;
  }

  /** Replaces the certificate for new connections. */
  setTls(tls: TLSSocketOptions): void {
    if ("setSecureContext" in this.#server) this.#server.setSecureContext(tls);
  }

  #drained(): Promise<void> {
    if (this.#inProgress === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#idle = resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    if (this.#distrusted.has(request.socket)) return;
    const url = request.url ?? "/";
    const queryAt = url.indexOf("?");
    const path = queryAt < 0 ? url : url.slice(0, queryAt);
    const id = this.#services.ids.next("req");
    const match = this.#route({ id, response }, path);
    if (match === null) return;
    const snapshot = this.#services.snapshot();
    const exchange = new Exchange({
      id,
      request,
      response,
      endpoint: match.endpoint,
      upstreamPath: upstreamPath(match, queryAt < 0 ? "" : url.slice(queryAt)),
      pathModel: match.model,
      snapshot,
      startedAtMs: this.#services.clock.monotonicMs(),
      createdAtMs: this.#services.clock.nowMs(),
    });
    this.#inProgress++;
    response.on("close", this.#closed.bind(this, exchange));
    const { kind } = match.endpoint;
    if (kind === "local") this.#run(exchange, serveLocal(exchange, match.rest, this.#services));
    else if (kind === "control") this.#run(exchange, serveControl(exchange, this.#services));
    else if (kind === "objects") this.#run(exchange, serveObjects(exchange, match.rest, this.#services));
    else this.#pipeline.run(exchange, this.#ended.bind(this));
  }

  #ended(): void {
    if (--this.#inProgress === 0) this.#idle?.();
  }

  /** Waits for a handler; one that throws is answered with what the caller may know of it. */
  #run(exchange: Exchange, work: Promise<void>): void {
    work
      .catch((error: unknown) => {
        const refusal = publicError(error);
        this.#services.metrics.refused(refusal.code);
        if (refusal.code === "weir:server:internal") {
          const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
          this.#services.logger.error({ request_id: exchange.id, error: detail }, "internal error");
        }
        sendError(exchange, refusal);
      })
      .finally(this.#ended.bind(this));
  }

  #closed(exchange: Exchange): void {
    if (exchange.response.writableFinished) return;
    exchange.clientGone = true;
    // The ledger tells what Weir cut from what clients left.
    exchange.interrupted = this.#cutsOff;
    exchange.onClientGone?.();
  }

  /** The endpoint of a well-formed request, or null after answering with what is wrong. */
  #route(recipient: { id: string; response: ServerResponse }, path: string): EndpointMatch | null {
    const request = recipient.response.req;
    let match: EndpointMatch | null = null;
    try {
      checkFraming(request);
      match = matchEndpoint(path);
      if (match === null)
        throw new WeirError("weir:request:not_found", `Weir serves nothing at ${path.slice(0, 200)}.`);
      if (path === "*" && request.method !== "OPTIONS") {
        throw new WeirError("weir:request:malformed_target", "Only OPTIONS may ask for *.");
      }
      if (match.endpoint.methods.includes(request.method ?? "")) return match;
      const allow = match.endpoint.methods.join(", ");
      const message = `${match.endpoint.path} takes ${allow}.`;
      throw new WeirError("weir:request:method_not_allowed", message, { headers: { allow } });
    } catch (error) {
      const refusal = publicError(error);
      this.#services.metrics.refused(refusal.code);
      if (AMBIGUOUS.has(refusal.code)) {
        recipient.response.shouldKeepAlive = false;
        this.#distrusted.add(request.socket);
      }
      const clientWire = CLIENT_WIRES[match === null ? wireOfUnknown(path) : (match.endpoint.wire ?? "anthropic")];
      // The rest of the request is parsed before it is answered, so that a malformed one is found out to be that.
      discardBody(request).then(
        () => sendError({ ...recipient, clientWire }, refusal),
        () => abandon(recipient.response),
      );
      return null;
    }
  }
}

/** The connection closed, or node's parser has already answered: nothing is left to say. */
function abandon(response: ServerResponse): void {
  response.destroy();
}

/** The path to ask the upstream for: the endpoint's own, without a base prefix of the client's; the simple API asks for messages. */
function upstreamPath({ endpoint, rest }: EndpointMatch, query: string): string {
  return endpoint.kind === "simple" ? "/v1/messages" : endpoint.path + rest + query;
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
