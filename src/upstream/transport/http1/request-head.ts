import { type Dispatcher, errors } from "undici";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What no field value may hold (RFC 9110, 5.5), and what is not one byte in Latin-1. */
const NOT_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const NOT_TARGET = /[^\x21-\x7e]/;
/** Methods whose requests have a body by their meaning: without one they say so. */
const EXPECTS_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "QUERY"]);
const FIELD_NAMES_KNOWN = 256;

/** A request's head up to its framing, which follows from the body. */
export interface RequestHead {
  /** Ends after a field's line, without the empty line. */
  readonly text: string;
  /** Content-Length that the caller has set; null when none. */
  readonly contentLength: number | null;
  /** The connection is to be closed after the answer. */
  readonly closes: boolean;
}

/** Writes the heads of requests to one origin. */
export class RequestHeads {
  readonly #host: string;
  /** Names that have been found to be well-formed. */
  readonly #names = new Set<string>();

  /** `host` as the Host field says it. */
  constructor(host: string) {
    this.#host = host;
  }

  /** Throws undici's InvalidArgumentError for what would not be one request: nothing a client sends may add a line. */
  write({ method, path, headers }: Dispatcher.DispatchOptions): RequestHead {
    if (!TOKEN.test(method)) throw new errors.InvalidArgumentError("invalid request method");
    if (path === "" || NOT_TARGET.test(path)) throw new errors.InvalidArgumentError("invalid request path");
    const fields = flat(headers);
    let host = this.#host;
    let contentLength: number | null = null;
    let closes = method === "HEAD";
    let lines = "";
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] ?? "";
      const value = fields[i + 1] ?? "";
      this.#check(name, value);
      switch (name.length) {
        case 4:
          if (name.toLowerCase() !== "host") break;
          host = value;
          continue;
        case 6:
        case 7:
        case 17:
          if (name.toLowerCase() in UNSENDABLE) throw new errors.InvalidArgumentError(`invalid ${name} header`);
          break;
        case 10:
          if (name.toLowerCase() === "keep-alive") throw new errors.InvalidArgumentError(`invalid ${name} header`);
          if (name.toLowerCase() !== "connection") break;
          closes ||= /(?:^|,)\s*close\s*(?:,|$)/i.test(value);
          continue;
        case 14:
          if (name.toLowerCase() !== "content-length") break;
          if (contentLength !== null || !/^\d{1,15}$/.test(value))
            throw new errors.InvalidArgumentError("invalid content-length header");
          contentLength = Number(value);
          continue;
        default:
      }
      lines += `${name}: ${value}\r\n`;
    }
    const start = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: ${closes ? "close" : "keep-alive"}\r\n`;
    return { text: start + lines, contentLength, closes };
  }

  #check(name: string, value: string): void {
    if (NOT_VALUE.test(value)) throw new errors.InvalidArgumentError(`invalid ${name} header`);
    if (this.#names.has(name)) return;
    if (!TOKEN.test(name)) throw new errors.InvalidArgumentError("invalid header key");
    if (this.#names.size < FIELD_NAMES_KNOWN) this.#names.add(name);
  }
}

/** What a connection decides itself, and what it does not do. */
const UNSENDABLE: Readonly<Record<string, true>> = { "transfer-encoding": true, upgrade: true, expect: true };

/** Whether a request without a body has to say that it has none. */
export function expectsBody(method: string): boolean {
  return EXPECTS_BODY.has(method);
}

/** Headers as a flat list of names and values. Nobody here sends them in another of undici's forms. */
function flat(headers: Dispatcher.DispatchOptions["headers"]): readonly string[] {
  if (headers === undefined || headers === null) return [];
  if (Array.isArray(headers) && headers.every((text) => typeof text === "string")) return headers;
  throw new errors.InvalidArgumentError("headers must be a flat list of names and values");
}
