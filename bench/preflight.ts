import { readFile } from "node:fs/promises";

/** What every answer of one case must look like when it comes through one peer. */
export interface ExpectedAnswer {
  readonly bytes: number;
  /** FNV-1a in hex, but for the digits of `"created":`; undefined where answers hold timestamps of sending. */
  readonly sum: string | undefined;
}

export interface PreflightRequest {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyFile: string;
}

/** Sends one request and returns the answer's bytes. Throws unless it is a 200. */
export async function askOnce(request: PreflightRequest): Promise<Buffer> {
  const response = await fetch(`http://127.0.0.1:${request.port}${request.path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "anthropic-version": "2023-06-01",
      connection: "close",
      ...request.headers,
    },
    body: new Uint8Array(await readFile(request.bodyFile)),
    signal: AbortSignal.timeout(60_000),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(`answered ${response.status}: ${bytes.toString().slice(0, 500)}`);
  return bytes;
}

/** What load.c leaves out of its sum: when an answer of OpenAI's formats was made. */
function withoutTime(answer: Buffer): Buffer {
  return Buffer.from(answer.toString("latin1").replace(/(?<="created":)\d+/g, ""), "latin1");
}

/** 64-bit FNV-1a as load.c computes it (http://www.isthe.com/chongo/tech/comp/fnv/). */
export function fnv1a(bytes: Uint8Array): string {
  let sum = 0xcbf29ce484222325n;
  for (const byte of bytes) sum = ((sum ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return sum.toString(16);
}

/** `stamped` answers differ in their timestamps, so that only their length can be expected. */
export function expectedAnswer(answer: Buffer, stamped: boolean): ExpectedAnswer {
  return { bytes: answer.length, sum: stamped ? undefined : fnv1a(withoutTime(answer)) };
}

/** Where two answers first differ, in words, or null when they are the same. */
export function describeDifference(direct: Buffer, through: Buffer): string | null {
  if (direct.equals(through)) return null;
  const length = Math.min(direct.length, through.length);
  let at = 0;
  while (at < length && direct[at] === through[at]) at++;
  const show = (bytes: Buffer): string => JSON.stringify(bytes.subarray(at, at + 60).toString());
  return `at byte ${at} the upstream sent ${show(direct)} and the gateway ${show(through)} (${direct.length} and ${through.length} bytes in all)`;
}
