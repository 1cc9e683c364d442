import { connect as connectPlain, isIP, type LookupFunction, type OnReadOpts, type Socket } from "node:net";
import { connect as connectTls, createSecureContext, type SecureContext } from "node:tls";

import { errors } from "undici";

/** PEM texts, where the system's defaults do not do. */
export interface ConnectorTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}

export interface ConnectorOptions {
  readonly tls: ConnectorTls;
  /** Resolves the origin's name, and refuses where it may not be; the system's unless given. */
  readonly lookup?: LookupFunction;
}

/** Idle TCP connections are probed after so long, so that middle-boxes do not forget them. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** Opens connections to one origin. */
export class Connector {
  readonly #url: URL;
  readonly #host: string;
  readonly #options: ConnectorOptions;
  /** Made once: reading a bundle of authorities costs milliseconds. */
  #context: SecureContext | null = null;
  #session: Buffer | undefined;
  readonly #keepSession = (session: Buffer): void => {
    this.#session = session;
  };

  constructor(origin: string, options: ConnectorOptions) {
    this.#url = new URL(origin);
    this.#host = this.#url.hostname.replace(/^\[|\]$/g, "");
    this.#options = options;
  }

  /** As the Host field says it. */
  get host(): string {
    return this.#url.host;
  }

  /** The event by which a socket says that requests can be written to it. */
  get readyEvent(): "secureConnect" | "connect" {
    return this.#isTls ? "secureConnect" : "connect";
  }

  /** Begins to connect. Throws where the certificates cannot be used. */
  open(onread: OnReadOpts): Socket {
    const socket = this.#isTls ? this.#openTls(onread) : this.#openPlain(onread);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    return socket;
  }

  get #isTls(): boolean {
    return this.#url.protocol === "https:";
  }

  get #target(): { host: string; port: number; lookup?: LookupFunction } {
    const port = Number(this.#url.port || (this.#isTls ? 443 : 80));
    const { lookup } = this.#options;
    return { host: this.#host, port, ...(lookup === undefined ? {} : { lookup }) };
  }

  #openPlain(onread: OnReadOpts): Socket {
    return connectPlain({ ...this.#target, onread });
  }

  #openTls(onread: OnReadOpts): Socket {
    const { ca, cert, key, servername } = this.#options.tls;
    this.#context ??= createSecureContext({ ca, cert, key });
    // An address is no name to ask a certificate for.
    const name = servername ?? (isIP(this.#host) === 0 ? this.#host : undefined);
    // node's documentation has `onread` here, its types have not.
    const reading: object = { onread };
    const socket = connectTls({
      ...this.#target,
      ...reading,
      secureContext: this.#context,
      ALPNProtocols: ["http/1.1"],
      ...(name === undefined ? {} : { servername: name }),
      ...(this.#session === undefined ? {} : { session: this.#session }),
    });
    socket.on("session", this.#keepSession);
    return socket;
  }
}

/** A failure to connect by the name that it always has: several addresses of which one timed out are a time-out. */
export function connectFailure(error: Error): Error {
  if (!(error instanceof AggregateError)) return error;
  const timedOut = "code" in error && error.code === "ETIMEDOUT";
  if (!timedOut && !error.errors.some((each) => each instanceof Error && "code" in each && each.code === "ETIMEDOUT"))
    return error;
  const late = new errors.ConnectTimeoutError("Connect Timeout Error");
  late.cause = error;
  return late;
}
