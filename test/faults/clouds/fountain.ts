import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { Component } from "../../../src/core/component.ts";
import { BedrockFraming } from "../../harness/clouds/bedrock-framing.ts";
import type { Framing } from "../../harness/clouds/dialect.ts";
import { ChatFraming } from "../../harness/clouds/openai/chat-framing.ts";
import { SseFraming } from "../../harness/clouds/sse-framing.ts";
import { messageEvents, type MessageEvent } from "../../harness/message-events.ts";

/** Kinds of CLOUDS whose streams a fountain can send. */
export const FOUNTAIN_KINDS = ["anthropic", "bedrock", "openai"] as const;
export type FountainKind = (typeof FOUNTAIN_KINDS)[number];

/** The word in a prompt that asks for a flood. */
export const FLOOD = "flood";
const DELTA_CHARS = 8_192;

const FRAMINGS: Readonly<Record<FountainKind, () => Framing>> = {
  anthropic: () => new SseFraming({}, null),
  bedrock: () => new BedrockFraming("fountain", null),
  openai: () =>
    new ChatFraming({ model: "fountain", includesUsage: true, isAzure: false, showsReasoning: false, headers: {} }),
};

/**
 * An upstream that answers a FLOOD with far more than all the sockets on the way hold, as fast as it is read, in the framing
 * of a kind; anything else with a few events. Verifies nothing: the stand-ins do.
 */
export class Fountain implements Component {
  readonly name = "fountain";
  /** Bytes of floods that have been written. */
  written = 0;
  /** Floods that wait for their reader. */
  held = 0;
  readonly #kind: FountainKind;
  readonly #floodChars: number;
  readonly #server = createServer({ keepAliveTimeout: 300_000 }, (request, response) => this.#serve(request, response));

  /** `floodChars`: characters of text in a flood. */
  constructor(kind: FountainKind, floodChars: number) {
    this.#kind = kind;
    this.#floodChars = floodChars;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // it listens on TCP
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => void this.#answer(Buffer.concat(chunks).includes(FLOOD), response));
  }

  async #answer(isFlood: boolean, response: ServerResponse): Promise<void> {
    const framing = FRAMINGS[this.#kind]();
    const closed = new Promise<void>((resolve) => void response.once("close", () => resolve()));
    response.writeHead(200, framing.streamHeaders);
    for (const event of isFlood ? floodEvents(this.#floodChars) : messageEvents()) {
      for (const bytes of framing.events(event)) {
        if (isFlood) this.written += bytes.length;
        if (response.destroyed) return;
        if (!response.write(bytes)) await this.#drained(response, closed);
      }
    }
    response.end();
  }

  async #drained(response: ServerResponse, closed: Promise<void>): Promise<void> {
    this.held++;
    await Promise.race([new Promise<void>((resolve) => void response.once("drain", () => resolve())), closed]);
    this.held--;
  }
}

/** The usual events, with as much text as asked for. */
function* floodEvents(chars: number): Generator<MessageEvent, void, undefined> {
  const [delta] = messageEvents({ texts: ["x".repeat(DELTA_CHARS)] }).filter(isDelta);
  for (const event of messageEvents({ texts: ["begin. "] })) {
    yield event;
    if (!isDelta(event) || delta === undefined) continue;
    for (let sent = 0; sent < chars; sent += DELTA_CHARS) yield delta;
  }
}

function isDelta({ name }: MessageEvent): boolean {
  return name === "content_block_delta";
}
