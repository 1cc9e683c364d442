import { connect } from "node:net";

import type { CloudFault } from "../../harness/clouds/cloud-fault.ts";
import type { RunningCloud } from "../../harness/clouds/clouds.ts";
import { directRequest } from "../../harness/clouds/direct-request.ts";
import { within } from "../../harness/waiting.ts";

/** Where the parts of an answer lie in the bytes of its connection. */
export interface AnswerLayout {
  /** Bytes of the head, its blank line included. */
  readonly headBytes: number;
  /** Bytes up to the end of the first event; of an answer that is not streamed, all. */
  readonly firstEventEnd: number;
  readonly totalBytes: number;
}

/**
 * Every event in a write of its own, and so in an HTTP chunk of its own: otherwise what comes in one turn shares one, and no
 * two answers have the same length.
 */
export const STEADY: CloudFault = { kind: "slice", bytes: 1_000_000 };

const HEAD_END = "\r\n\r\n";
const LAST_CHUNK = "0\r\n\r\n";

/** Asks a stand-in directly, once, and measures its STEADY answer. Weir's answers to the same question have the same layout. */
export async function measureLayout(running: RunningCloud, isStream: boolean, text: string): Promise<AnswerLayout> {
  const { url, headers, body: direct } = await directRequest(running, { isStream, text });
  const { pathname, search } = new URL(url);
  const asksForUsage = isStream && pathname.endsWith("/chat/completions");
  const body = asksForUsage ? withUsage(direct) : direct;
  const { server } = running;
  const lines = [`POST ${pathname}${search} HTTP/1.1`, `host: 127.0.0.1:${server.port}`];
  // SageMaker repeats what was accepted.
  if (running.kind === "custom-sagemaker") lines.push("accept: application/json");
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  lines.push(`content-length: ${Buffer.byteLength(body)}`, "", body);
  server.nextFault(STEADY, { when: (request) => request.body.equals(Buffer.from(body)) });
  const bytes = await within("the stand-in to answer", exchange(server.port, lines.join("\r\n")));
  if (!bytes.toString("latin1", 0, 15).startsWith("HTTP/1.1 200 "))
    throw new Error(`not measured: ${bytes.toString("latin1")}`);
  const headBytes = bytes.indexOf(HEAD_END) + HEAD_END.length;
  const totalBytes = bytes.length;
  if (!isStream) return { headBytes, firstEventEnd: totalBytes, totalBytes };
  const { start, length } = chunkAt(bytes, headBytes);
  return { headBytes, firstEventEnd: start + length, totalBytes };
}

/** As Weir asks: for the usage at the end of a stream of Chat Completions. */
function withUsage(body: string): string {
  return body.replace(/\}$/, ',"stream_options":{"include_usage":true}}');
}

/** The content of the HTTP chunk whose size is written at an offset. */
function chunkAt(bytes: Buffer, offset: number): { readonly start: number; readonly length: number } {
  const sizeEnd = bytes.indexOf("\r\n", offset);
  return { start: sizeEnd + 2, length: Number.parseInt(bytes.toString("latin1", offset, sizeEnd), 16) };
}

function exchange(port: number, request: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const socket = connect({ port, host: "127.0.0.1" }, () => socket.write(request));
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (!isWhole(bytes)) return;
      socket.destroy();
      resolve(bytes);
    });
    socket.once("error", reject);
  });
}

function isWhole(bytes: Buffer): boolean {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return false;
  const length = /^content-length: (\d+)/im.exec(bytes.toString("latin1", 0, headEnd))?.[1];
  if (length !== undefined) return bytes.length >= headEnd + HEAD_END.length + Number(length);
  return bytes.subarray(-LAST_CHUNK.length).toString("latin1") === LAST_CHUNK;
}
