import { request as httpRequest, type Agent, type ClientRequest, type IncomingMessage } from "node:http";

import { eventNames } from "./message-events.ts";

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Text and bytes are sent as they are, anything else as JSON. */
  readonly body?: unknown;
  /** Default: a connection of its own. */
  readonly agent?: Agent;
}

/** A whole answer. `isWhole` is false when the connection broke before HTTP said that it was complete. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
  readonly isWhole: boolean;
}

/** Sends a request and reads its answer to the end, however it ends. Rejects when no answer comes. */
export async function ask(url: string, options: AskOptions = {}): Promise<HttpAnswer> {
  const live = await LiveAnswer.open(url, options);
  const isWhole = await live.ended;
  return { status: live.status, headers: live.headers, body: live.bytes, isWhole };
}

/** The JSON of an answer. */
export function jsonOf(answer: { readonly body: Buffer }): unknown {
  return JSON.parse(answer.body.toString("utf8"));
}

/** An answer while it comes. */
export class LiveAnswer {
  /** Resolves with whether the answer was complete. */
  readonly ended: Promise<boolean>;
  readonly #request: ClientRequest;
  readonly #response: IncomingMessage;
  readonly #chunks: Buffer[] = [];
  #isEnded = false;
  #waiting: (() => void)[] = [];

  private constructor(request: ClientRequest, response: IncomingMessage) {
    this.#request = request;
    this.#response = response;
    this.ended = new Promise((resolve) => {
      const finish = (): void => {
        this.#isEnded = true;
        this.#wake();
        resolve(response.complete);
      };
      response.on("data", (chunk: Buffer) => {
        this.#chunks.push(chunk);
        this.#wake();
      });
      response.on("end", finish).on("error", finish).on("close", finish);
    });
  }

  /** Sends a request and resolves when the head of its answer is there. */
  static open(url: string, options: AskOptions = {}): Promise<LiveAnswer> {
    const { method = options.body === undefined ? "GET" : "POST", headers = {}, agent = false } = options;
    return new Promise((resolve, reject) => {
      const request = httpRequest(url, { method, headers: toHeaders(headers), agent });
      request.once("error", reject);
      request.once("response", (response) => {
        // Later errors show as the answer's end.
        request.on("error", () => {});
        resolve(new LiveAnswer(request, response));
      });
      request.end(toBody(options.body));
    });
  }

  get status(): number {
    return this.#response.statusCode ?? 0;
  }

  get headers(): IncomingMessage["headers"] {
    return this.#response.headers;
  }

  /** What has come until now. */
  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Resolves when so many whole events have come; rejects when the answer ends before. */
  async events(count: number): Promise<void> {
    await this.#until(`${count} events`, () => eventNames(this.bytes).length >= count);
  }

  /** Resolves when so many bytes have come; rejects when the answer ends before. */
  async byteCount(count: number): Promise<void> {
    await this.#until(`${count} bytes`, () => this.bytes.length >= count);
  }

  /** Goes away: by closing the connection, or by resetting it. */
  leave(how: "close" | "reset" = "close"): void {
    if (how === "close") this.#request.destroy();
    else this.#request.socket?.resetAndDestroy();
  }

  async #until(what: string, isThere: () => boolean): Promise<void> {
    while (!isThere()) {
      if (this.#isEnded) throw new Error(`the answer ended before ${what} had come`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function toHeaders(headers: NonNullable<AskOptions["headers"]>): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : [...value]]),
  );
}

function toBody(body: unknown): string | Buffer | undefined {
  if (body === undefined || typeof body === "string" || Buffer.isBuffer(body)) return body;
  return JSON.stringify(body);
}
