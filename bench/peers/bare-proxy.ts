/**
 * The yardstick: the least that a metering proxy for the Messages API can do in Node, and done well. It parses the request
 * to know its model, relays it with undici's dispatch, and adds up the usage of the answer, plain or streamed. No keys, no
 * limits, no ledger, no metrics.
 *
 *   node bare-proxy.ts PORT UPSTREAM_ORIGIN
 */
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { StringDecoder } from "node:string_decoder";
import { type Dispatcher, Pool } from "undici";

interface Usage {
  input_tokens?: number;
  cache_creation_input_tokens?: number;
  cache_read_input_tokens?: number;
  output_tokens?: number;
}

interface Meter {
  onData(chunk: Buffer): void;
  onEnd(): Usage;
}

const NOT_FORWARDED = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "content-length",
  "host",
  "expect",
  "upgrade",
  "te",
  "trailer",
]);

const [port, origin] = [Number(process.argv[2]), String(process.argv[3])];
const upstream = new Pool(origin, { headersTimeout: 600_000, bodyTimeout: 600_000 });
const totals = new Map<string, Required<Usage>>();

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () =>
    relay(request, response, chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)),
  );
  request.on("error", () => response.destroy());
}).listen(port, "127.0.0.1");

function relay(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  let model: string;
  try {
    model = body.length === 0 ? "" : String((JSON.parse(body.toString()) as { model?: unknown }).model); // any object will do
  } catch {
    response
      .writeHead(400, { "content-type": "application/json" })
      .end('{"type":"error","error":{"type":"invalid_request_error","message":"not JSON"}}');
    return;
  }
  const { method = "POST", url: path = "/" } = request;
  const options = { method, path, headers: forwarded(request.headers), body: body.length === 0 ? null : body };
  upstream.dispatch(options, new Relay(response, model));
}

class Relay implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;
  readonly #model: string;
  #meter: Meter | undefined;

  constructor(response: ServerResponse, model: string) {
    this.#response = response;
    this.#model = model;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#response.on("close", () => {
      if (!this.#response.writableFinished) controller.abort(new Error("the client went away"));
    });
    this.#response.on("drain", () => controller.resume());
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#meter = String(headers["content-type"]).startsWith("text/event-stream") ? streamMeter() : plainMeter();
    const length = headers["content-length"];
    const relayed = forwarded(headers);
    this.#response.writeHead(status, length === undefined ? relayed : { ...relayed, "content-length": length });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#response.write(chunk)) controller.pause();
    this.#meter?.onData(chunk);
  }

  onResponseEnd(): void {
    this.#response.end();
    if (this.#meter) add(this.#model, this.#meter.onEnd());
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#response.headersSent) this.#response.destroy(error);
    else
      this.#response
        .writeHead(502, { "content-type": "application/json" })
        .end('{"type":"error","error":{"type":"api_error","message":"upstream failed"}}');
  }
}

function forwarded(headers: IncomingMessage["headers"]): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && !NOT_FORWARDED.has(name)) kept[name] = value;
  }
  return kept;
}

function plainMeter(): Meter {
  const chunks: Buffer[] = [];
  return {
    onData: (chunk) => chunks.push(chunk),
    onEnd: () => {
      try {
        return (JSON.parse(Buffer.concat(chunks).toString()) as { usage?: Usage }).usage ?? {}; // a Messages answer
      } catch {
        return {};
      }
    },
  };
}

/** Parses only the two events that carry usage; its numbers are cumulative, so a later one replaces an earlier one. */
function streamMeter(): Meter {
  const decoder = new StringDecoder("utf8");
  let pending = "";
  let usage: Usage = {};
  const onEvent = (event: string): void => {
    if (!event.startsWith("event: message_start") && !event.startsWith("event: message_delta")) return;
    const data = JSON.parse(event.slice(event.indexOf("data: ") + 6)) as { usage?: Usage; message?: { usage?: Usage } }; // by the event's name
    usage = { ...usage, ...(data.message?.usage ?? data.usage) };
  };
  return {
    onData: (chunk) => {
      pending += decoder.write(chunk);
      let from = 0;
      for (let end = pending.indexOf("\n\n"); end !== -1; end = pending.indexOf("\n\n", from)) {
        onEvent(pending.slice(from, end));
        from = end + 2;
      }
      pending = pending.slice(from);
    },
    onEnd: () => usage,
  };
}

function add(model: string, usage: Usage): void {
  let total = totals.get(model);
  if (!total)
    totals.set(
      model,
      (total = { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 }),
    );
  total.input_tokens += usage.input_tokens ?? 0;
  total.cache_creation_input_tokens += usage.cache_creation_input_tokens ?? 0;
  total.cache_read_input_tokens += usage.cache_read_input_tokens ?? 0;
  total.output_tokens += usage.output_tokens ?? 0;
}
