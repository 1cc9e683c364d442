/**
 * Requests that two servers on one way might read differently (RFC 9112, RFC 9110), or that only a faulty or hostile client
 * sends. Most carry a second request with a good key, which a server that misreads the first would take for a request of
 * its own; its body holds the canary.
 */
export interface HostileVector {
  readonly name: string;
  readonly raw: string;
  /** `refused`: an error or a closed connection, no success. `harmless`: may be answered, but the canary stays where it is. */
  readonly expected: "refused" | "harmless";
}

export const CANARY = "canary-9f31c7";

/** What the vectors are made with. */
export interface VectorContext {
  readonly host: string;
  readonly key: string;
}

/** An ordinary request for a message. */
export function plainRequest({ host, key }: VectorContext, body: string): string {
  return (
    `POST /v1/messages HTTP/1.1\r\nHost: ${host}\r\nx-api-key: ${key}\r\ncontent-type: application/json\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

export function hostileVectors(context: VectorContext): HostileVector[] {
  const { host, key } = context;
  const body = `{"model":"claude-sonnet-5-5","max_tokens":1,"messages":[],"x":"${CANARY}"}`;
  const smuggled = plainRequest(context, body);
  const size = Buffer.byteLength(smuggled);
  const hex = size.toString(16);
  const start = "POST /v1/messages HTTP/1.1\r\n";
  const common = `Host: ${host}\r\nx-api-key: ${key}\r\ncontent-type: application/json\r\n`;
  const post = (headers: string, rest: string): string => `${start}${common}${headers}\r\n${rest}`;
  const get = (line: string, headers: string): string => `${line}\r\n${headers}\r\n${smuggled}`;
  const refused = (name: string, raw: string): HostileVector => ({ name, raw, expected: "refused" });
  const harmless = (name: string, raw: string): HostileVector => ({ name, raw, expected: "harmless" });
  const chunkedEnd = `0\r\n\r\n${smuggled}`;

  return [
    // Two ways to say where the body ends (RFC 9112, 6.3).
    refused(
      "length and chunked, length first",
      post(`Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`, chunkedEnd),
    ),
    refused(
      "length and chunked, chunked first",
      post(`Transfer-Encoding: chunked\r\nContent-Length: 5\r\n`, chunkedEnd),
    ),
    refused(
      "length of all and chunked",
      post(`Content-Length: ${size + 5}\r\nTransfer-Encoding: chunked\r\n`, chunkedEnd),
    ),
    refused("two lengths", post(`Content-Length: 0\r\nContent-Length: ${size}\r\n`, smuggled)),
    refused("two lengths in one field", post(`Content-Length: 0, ${size}\r\n`, smuggled)),
    refused("the same length twice in one field", post("Content-Length: 2, 2\r\n", `{}${smuggled}`)),
    refused("a length with a sign", post("Content-Length: +2\r\n", `{}${smuggled}`)),
    refused("a negative length", post("Content-Length: -1\r\n", smuggled)),
    refused("a hexadecimal length", post("Content-Length: 0x2\r\n", `{}${smuggled}`)),
    refused("a length with a gap", post("Content-Length: 0 2\r\n", `{}${smuggled}`)),
    refused("a length with a letter", post("Content-Length: 2a\r\n", `{}${smuggled}`)),
    refused("a length beyond 64 bits", post("Content-Length: 18446744073709551618\r\n", `{}${smuggled}`)),
    refused("an empty length", post("Content-Length: \r\n", smuggled)),
    refused("a space before the colon of the length", post("Content-Length : 2\r\n", `{}${smuggled}`)),
    refused("a space before the colon of the coding", post("Transfer-Encoding : chunked\r\n", chunkedEnd)),
    refused("a coding nobody knows", post("Transfer-Encoding: xchunked\r\n", chunkedEnd)),
    refused("chunked before another coding", post("Transfer-Encoding: chunked, identity\r\n", chunkedEnd)),
    refused("chunked after another coding", post("Transfer-Encoding: gzip, chunked\r\n", chunkedEnd)),
    refused("chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunkedEnd)),
    refused("an empty coding beside a length", post(`Transfer-Encoding: \r\nContent-Length: ${size}\r\n`, smuggled)),
    refused("a coding with a vertical tab", post("Transfer-Encoding: \vchunked\r\n", chunkedEnd)),
    refused("a coding in quotes", post('Transfer-Encoding: "chunked"\r\n', chunkedEnd)),
    refused("a coding on a folded line", post("Transfer-Encoding:\r\n chunked\r\n", chunkedEnd)),
    refused(
      "a coding behind a folded line",
      post("X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", smuggled),
    ),
    refused(
      "chunked under HTTP/1.0",
      `POST /v1/messages HTTP/1.0\r\n${common}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n${chunkedEnd}`,
    ),
    harmless("an underscore for the hyphen", post(`Content_Length: ${size}\r\nContent-Length: 0\r\n`, "")),

    // Chunks (RFC 9112, 7.1).
    refused("a chunk size with a sign", post("Transfer-Encoding: chunked\r\n", `+2\r\n{}\r\n${chunkedEnd}`)),
    refused("a negative chunk size", post("Transfer-Encoding: chunked\r\n", `-2\r\n{}\r\n${chunkedEnd}`)),
    refused("a chunk size with 0x", post("Transfer-Encoding: chunked\r\n", `0x2\r\n{}\r\n${chunkedEnd}`)),
    refused(
      "a chunk size beyond 64 bits",
      post("Transfer-Encoding: chunked\r\n", `10000000000000002\r\n{}\r\n${chunkedEnd}`),
    ),
    refused("a chunk size with a gap", post("Transfer-Encoding: chunked\r\n", `0 ${hex}\r\n${smuggled}\r\n0\r\n\r\n`)),
    refused("a chunk longer than it says", post("Transfer-Encoding: chunked\r\n", `1\r\n{}\r\n${chunkedEnd}`)),
    refused("a chunk without its line end", post("Transfer-Encoding: chunked\r\n", `2\r\n{}${chunkedEnd}`)),
    refused("a chunk line that ends in LF", post("Transfer-Encoding: chunked\r\n", `2\n{}\r\n${chunkedEnd}`)),
    refused("a chunk line that ends in CR", post("Transfer-Encoding: chunked\r\n", `2\r{}\r\n${chunkedEnd}`)),
    refused("an LF inside a chunk extension", post("Transfer-Encoding: chunked\r\n", `2;a\n0\r\n\r\n${smuggled}`)),
    refused("an empty chunk size", post("Transfer-Encoding: chunked\r\n", `\r\n{}\r\n${chunkedEnd}`)),

    // Header lines (RFC 9112, 5).
    refused("a NUL in a value", post("X-A: a\0b\r\nContent-Length: 0\r\n", smuggled)),
    refused("a CR in a value", post("X-A: a\rContent-Length: 9\r\nContent-Length: 0\r\n", smuggled)),
    refused("a NUL in a name", post("X\0A: a\r\nContent-Length: 0\r\n", smuggled)),
    refused("a space in a name", post("X A: a\r\nContent-Length: 0\r\n", smuggled)),
    refused("a line without a colon", post("nonsense\r\nContent-Length: 0\r\n", smuggled)),
    refused("an empty name", post(": a\r\nContent-Length: 0\r\n", smuggled)),
    refused("a folded first line", `${start} X-A: a\r\n${common}Content-Length: 0\r\n\r\n${smuggled}`),

    // The request line (RFC 9112, 3).
    refused("no version", `GET /v1/models\r\n${common}\r\n${smuggled}`),
    refused("a version in lower case", get("GET /v1/models http/1.1", common)),
    refused("version 2.0", get("GET /v1/models HTTP/2.0", common)),
    refused("version 1.10", get("GET /v1/models HTTP/1.10", common)),
    refused("the preface of HTTP/2", `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${smuggled}`),
    refused("a target without its slash", get("GET v1/models HTTP/1.1", common)),
    refused("a tunnel", get(`CONNECT ${host} HTTP/1.1`, common)),
    refused("a method of control characters", get("GE\x01T /v1/models HTTP/1.1", common)),
    refused("the URL of another server", `GET http://169.254.169.254/latest HTTP/1.1\r\n${common}\r\n`),

    // Host (RFC 9112, 3.2).
    refused("no host", get("GET /v1/models HTTP/1.1", `x-api-key: ${key}\r\n`)),
    refused("two hosts", get("GET /v1/models HTTP/1.1", `Host: a\r\n${common}`)),
    refused("two hosts in one field", get("GET /v1/models HTTP/1.1", `Host: a, b\r\nx-api-key: ${key}\r\n`)),
    refused("a host with a user", get("GET /v1/models HTTP/1.1", `Host: u@${host}\r\nx-api-key: ${key}\r\n`)),
    refused("a host with a path", get("GET /v1/models HTTP/1.1", `Host: ${host}/x\r\nx-api-key: ${key}\r\n`)),
    refused("an empty host", get("GET /v1/models HTTP/1.1", `Host:\r\nx-api-key: ${key}\r\n`)),
  ];
}
