import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";

import { Agent, type Dispatcher, fetch, ProxyAgent, request } from "undici";

import { proxyFor, type ProxySettings } from "../transport/proxy-choice.ts";
import { IssueError } from "./issuer.ts";

/** How token endpoints are reached. */
export interface NetworkSettings {
  readonly proxy: ProxySettings;
  /** PEM texts of authorities trusted instead of the system's; null for the system's. */
  readonly ca: string | null;
}

/** An answer of a token endpoint. */
export interface TokenAnswer {
  readonly status: number;
  readonly body: string;
}

/** A token answer is a few kilobytes. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * The way to token endpoints: through the forward proxy where there is one, never by a redirect, and never from a cache of
 * connections, as there are a few calls an hour.
 */
export class TokenNetwork {
  readonly #settings: NetworkSettings;

  constructor(settings: NetworkSettings) {
    this.#settings = settings;
  }

  /** Sends a POST and gives the answer, whatever its status. */
  async post(
    url: URL,
    options: { headers: readonly string[]; body: string; signal: AbortSignal },
  ): Promise<TokenAnswer> {
    const dispatcher = this.#dispatcher(url);
    try {
      const { headers, body, signal } = options;
      const answer = await request(url, { method: "POST", headers: [...headers], body, signal, dispatcher });
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of answer.body) {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) throw new IssueError("its token endpoint sent far too long an answer");
        chunks.push(Buffer.from(chunk));
      }
      return { status: answer.statusCode, body: Buffer.concat(chunks).toString("utf8") };
    } finally {
      await dispatcher.destroy();
    }
  }

  /** A `fetch` for the libraries that take one; `rewrite` may send a request elsewhere. */
  fetchFor(signal: AbortSignal, rewrite: (url: URL) => URL): typeof globalThis.fetch {
    const send = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
      const own = init?.signal ?? null;
      const url = rewrite(new URL(input instanceof Request ? input.url : input));
      const dispatcher = this.#dispatcher(url);
      try {
        // undici's own types and Node's describe the same objects.
        const answer = await fetch(url, {
          ...(init as object),
          signal: own === null ? signal : AbortSignal.any([signal, own]),
          redirect: "manual",
          dispatcher,
        });
        const body = Buffer.from(await answer.arrayBuffer());
        const headers = [...answer.headers].filter(([name]) => !/^content-(encoding|length)$/.test(name));
        return new Response(NO_BODY.has(answer.status) ? null : body, { status: answer.status, headers });
      } finally {
        await dispatcher.destroy();
      }
    };
    return send;
  }

  /** Agents for the AWS library, which uses node:http. */
  nodeAgents(): { httpAgent: HttpAgent; httpsAgent: HttpsAgent } {
    const { httpProxy, httpsProxy, noProxy } = this.#settings.proxy;
    const proxyEnv = {
      ...(httpProxy !== null && { HTTP_PROXY: httpProxy }),
      ...(httpsProxy !== null && { HTTPS_PROXY: httpsProxy }),
      NO_PROXY: noProxy.join(","),
    };
    return {
      httpAgent: new HttpAgent({ proxyEnv }),
      httpsAgent: new HttpsAgent({ proxyEnv, ...(this.#settings.ca !== null && { ca: this.#settings.ca }) }),
    };
  }

  /** The proxy to a URL, or null. */
  proxyFor(url: URL): URL | null {
    const proxy = proxyFor(url, this.#settings.proxy);
    return proxy === null ? null : new URL(proxy);
  }

  get ca(): string | null {
    return this.#settings.ca;
  }

  #dispatcher(url: URL): Dispatcher {
    const proxy = this.proxyFor(url);
    const tls = this.#settings.ca === null ? {} : { ca: this.#settings.ca };
    return proxy === null ? new Agent({ connect: tls }) : new ProxyAgent({ uri: proxy.href, requestTls: tls });
  }
}

/** Statuses whose answers may not have a body. */
const NO_BODY = new Set([101, 204, 205, 304]);
