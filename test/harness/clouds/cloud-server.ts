import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

import type { Component } from "../../../src/core/component.ts";
import { isObject } from "../../../src/upstream/sandbox/json-value.ts";
import { AnswerWriter } from "./answer-writer.ts";
import { Brain, BrainCut } from "./brain.ts";
import { FaultScript, type CloudFault, type FaultScope, type NextFaultOptions } from "./cloud-fault.ts";
import { readRequest, type CloudRequest } from "./cloud-request.ts";
import { deliverError, deliverStream, deliverWhole, type Charge, type Delivery } from "./deliver.ts";
import { Refusal, type CloudError, type Dialect, type Verdict } from "./dialect.ts";
import { leaksOf } from "./leaks.ts";

export interface CloudServerOptions {
  /** Texts that no request may carry: the secrets of the gateway's clients. */
  readonly forbidden?: readonly string[];
  /** Silence of the brain after which a stream gets a ping, milliseconds. */
  readonly pingIntervalMs?: number;
  /** Whether `requests` is kept; false for load. Default true. */
  readonly keepsRequests?: boolean;
}

/**
 * A cloud on a free port of loopback: verifies every request as the real one would, answers what the sandbox's engine
 * decides in the cloud's own format, and goes wrong as a test says. A test asserts `problems` to be empty at its end.
 */
export class CloudServer<D extends Dialect = Dialect> implements Component {
  readonly name: string;
  readonly dialect: D;
  /** Every request, in order of arrival. */
  readonly requests: CloudRequest[] = [];
  /** Rules of the protocol that requests broke, each with the request's place. */
  readonly problems: string[] = [];
  /** Errors answered of the stand-in's own accord, not because a fault was planned. */
  readonly refusals: CloudError[] = [];
  /** Inferences that the provider would bill. */
  readonly charges: Charge[] = [];
  /** Bytes a write, for every answer; null for whole writes. */
  sliceBytes: number | null = null;
  readonly #brain: Brain;
  readonly #faults = new FaultScript();
  readonly #forbidden: string[];
  readonly #keepsRequests: boolean;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #port = 0;
  #waiting: ((request: CloudRequest) => void)[] = [];

  constructor(dialect: D, options: CloudServerOptions = {}) {
    this.name = dialect.name;
    this.dialect = dialect;
    this.#forbidden = [...(options.forbidden ?? [])];
    this.#keepsRequests = options.keepsRequests ?? true;
    this.#brain = new Brain(options.pingIntervalMs);
  }

  /** Where it listens, without a trailing slash; the same for its whole life. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** Connections open now. */
  get openConnections(): number {
    return this.#sockets.size;
  }

  /** Streams that the engine is generating now: none when every caller that left was noticed. */
  get openStreams(): number {
    return this.#brain.stats().openStreams;
  }

  async start(): Promise<void> {
    if (this.#server !== null) return;
    await this.#brain.start();
    await this.#listen();
  }

  async stop(): Promise<void> {
    await this.refuse();
    await this.#brain.stop();
  }

  /** The next inferences go wrong in this way; several calls queue. */
  nextFault(fault: CloudFault, options?: NextFaultOptions): this {
    this.#faults.next(fault, options);
    return this;
  }

  /** Every inference goes wrong in this way unless something is queued; null ends that. */
  always(fault: CloudFault | null, scope?: FaultScope): this {
    this.#faults.always(fault, scope);
    return this;
  }

  /** Adds a text that no request may carry. */
  forbid(...texts: readonly string[]): this {
    this.#forbidden.push(...texts);
    return this;
  }

  /** Forgets requests, problems, charges and planned faults; the engine's prompt cache stays. */
  reset(): void {
    this.requests.length = 0;
    this.problems.length = 0;
    this.refusals.length = 0;
    this.charges.length = 0;
    this.sliceBytes = null;
    this.#faults.clear();
  }

  /** Closes the port and resets every connection: connecting is refused until `accept`. */
  async refuse(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.resetConnections();
    await closed;
  }

  /** Listens again on the same port. */
  async accept(): Promise<void> {
    if (this.#server === null) await this.#listen();
  }

  /** Resets every open connection; new ones are accepted. */
  resetConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** The next request that arrives. */
  nextRequest(): Promise<CloudRequest> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #listen(): Promise<void> {
    // Longer than any client's idle time, so that a pooled connection is never closed under a request.
    const server = createServer({ keepAliveTimeout: 300_000, requestTimeout: 0 }, (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        this.problems.push(`${this.name}: the stand-in itself failed: ${String(error)}`);
        response.socket?.resetAndDestroy();
      });
    });
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port: this.#port, host: "127.0.0.1", backlog: 4096 }, resolve);
    });
    this.#port = (server.address() as AddressInfo).port; // it listens on TCP
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(incoming, response);
    if (request === null) return;
    const index = this.#keepsRequests ? this.requests.push(request) - 1 : -1;
    for (const tell of this.#waiting.splice(0)) tell(request);
    const report = (problem: string): void => void this.problems.push(placed(this.name, request, problem));
    for (const leak of leaksOf(request, this.#forbidden)) report(leak);
    const verdict = this.#judge(request, report);
    const model = chargedModel(verdict);
    const fault = verdict.kind === "refused" ? null : this.#faults.take(request, model !== null);
    const writer = new AnswerWriter(response, fault?.kind === "slice" ? fault.bytes : this.sliceBytes);
    const to: Delivery = {
      writer,
      dialect: this.dialect,
      request,
      fault,
      headers: {},
      begin: () => this.#charge(index, model ?? ""),
    };
    if (verdict.kind === "refused") return await deliverError(verdict.error, to);
    if (await this.#passFault(fault, response, to)) await this.#answer(verdict, response, to);
  }

  #judge(request: CloudRequest, report: (problem: string) => void): Judgement {
    try {
      return this.dialect.judge(request, report);
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      if (thrown.problem !== null) report(thrown.problem);
      this.refusals.push(thrown.error);
      return { kind: "refused", error: thrown.error };
    }
  }

  #charge(request: number, model: string): Charge {
    const charge: Charge = { request, model, usage: null, outcome: "open" };
    this.charges.push(charge);
    return charge;
  }

  /** What goes wrong before the answer begins; false when there will be none. */
  async #passFault(fault: CloudFault | null, response: ServerResponse, to: Delivery): Promise<boolean> {
    if (fault === null) return true;
    switch (fault.kind) {
      case "status":
        await sendStatus(fault, to);
        return false;
      case "prompt_too_long":
        await deliverError(this.dialect.promptTooLong, to);
        return false;
      case "redirect":
        to.writer.head(fault.status ?? 307, { location: fault.location, "content-length": 0 });
        to.writer.end();
        return false;
      case "silent":
        await to.writer.silence();
        return false;
      case "reset":
        response.socket?.resetAndDestroy();
        return false;
      case "late":
        return await to.writer.waitFor(fault.by);
      case "silence":
      case "error_event":
      case "cut":
      case "damage":
      case "slice":
        break;
    }
    return true;
  }

  async #answer(verdict: Verdict, response: ServerResponse, to: Delivery): Promise<void> {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    try {
      if (verdict.kind === "answer") {
        if (verdict.charged === null) await deliverPlain(verdict.answer, to);
        else await deliverWhole(verdict.answer, null, to);
      } else if (verdict.kind === "count") await this.#count(verdict, gone.signal, to);
      else await this.#infer(verdict, gone.signal, to);
    } catch (error) {
      if (gone.signal.aborted) return;
      // A directive told the engine to reset before its first byte, so its caller is reset too.
      if (!(error instanceof BrainCut)) throw error;
      response.socket?.resetAndDestroy();
    }
  }

  async #count(
    { question, render }: Extract<Verdict, { kind: "count" }>,
    signal: AbortSignal,
    to: Delivery,
  ): Promise<void> {
    const counted = await this.#brain.count(question, signal);
    if (typeof counted === "number") await deliverPlain(render(counted), to);
    else await this.#relayRefusal(counted, to);
  }

  async #infer(
    { question, isStream, framing }: Extract<Verdict, { kind: "infer" }>,
    signal: AbortSignal,
    to: Delivery,
  ): Promise<void> {
    const body = { ...question.body, stream: isStream };
    const answer = await this.#brain.ask({ ...question, body }, signal);
    if (answer.kind === "refused") await this.#relayRefusal(answer, to);
    else if (answer.kind === "stream") await deliverStream(answer.events, framing, to);
    else {
      const usage = answer.message["usage"];
      await deliverWhole(framing.whole(answer.message), isObject(usage) ? usage : null, to);
    }
  }

  async #relayRefusal(
    { status, message, retryAfter }: { status: number; message: string; retryAfter: string | null },
    to: Delivery,
  ): Promise<void> {
    const error: CloudError = {
      status,
      message,
      ...(retryAfter === null ? {} : { headers: { "retry-after": retryAfter } }),
    };
    this.refusals.push(error);
    await deliverError(error, to);
  }
}

type Judgement = Verdict | { readonly kind: "refused"; readonly error: CloudError };

/** The model that a request is billed for; null when it costs nothing. */
function chargedModel(verdict: Judgement): string | null {
  if (verdict.kind === "infer") return verdict.model;
  return verdict.kind === "answer" ? (verdict.charged?.model ?? null) : null;
}

function placed(name: string, request: CloudRequest, problem: string): string {
  return `${name}: ${request.method} ${request.path}: ${problem}`;
}

async function deliverPlain(answer: Parameters<typeof deliverWhole>[0], { writer }: Delivery): Promise<void> {
  writer.head(answer.status, { ...answer.headers, "content-length": answer.body.length });
  await writer.write(answer.body);
  writer.end();
}

async function sendStatus(fault: Extract<CloudFault, { kind: "status" }>, to: Delivery): Promise<void> {
  const { status, message = `the test says ${status}`, code, headers = {}, body } = fault;
  if (body === undefined) {
    await deliverError({ status, message, headers, ...(code === undefined ? {} : { code }) }, to);
    return;
  }
  const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const type = typeof body === "string" ? "text/html" : "application/json";
  to.writer.head(status, { "content-type": type, ...headers, "content-length": bytes.length });
  await to.writer.write(bytes);
  to.writer.end();
}
