/** A Messages event stream made of its events' data. */
export function messagesStream(events: readonly { readonly type: string }[]): Buffer {
  return Buffer.from(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""));
}

/** A Chat Completions stream made of its chunks, with the end mark. */
export function chatStream(chunks: readonly object[], end = "data: [DONE]\n\n"): Buffer {
  return Buffer.from(chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("") + end);
}

/** The JSON of each `data` line; `[DONE]` as that text. */
export function dataOf(stream: Buffer | string): unknown[] {
  return String(stream)
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => (line === "data: [DONE]" ? "[DONE]" : JSON.parse(line.slice(6))));
}

interface Pushing {
  push(chunk: Buffer): Buffer;
}

/** What comes out for the whole stream at once. */
export function atOnce(codec: Pushing, stream: Buffer): string {
  return codec.push(stream).toString("utf8");
}

/** What comes out when the stream is cut into pieces of `size` bytes. */
export function inPieces(codec: Pushing, stream: Buffer, size: number): string {
  const out: Buffer[] = [];
  for (let at = 0; at < stream.length; at += size) out.push(codec.push(stream.subarray(at, at + size)));
  return Buffer.concat(out).toString("utf8");
}

/** Whether the outcome is the same however the stream is cut in two, and byte by byte. Returns the cuts that differ. */
export function differingCuts(make: () => Pushing, stream: Buffer): number[] {
  const whole = atOnce(make(), stream);
  const differing: number[] = [];
  for (let cut = 0; cut <= stream.length; cut++) {
    const codec = make();
    const out = Buffer.concat([codec.push(stream.subarray(0, cut)), codec.push(stream.subarray(cut))]);
    if (out.toString("utf8") !== whole) differing.push(cut);
  }
  if (inPieces(make(), stream, 1) !== whole) differing.push(-1);
  return differing;
}
