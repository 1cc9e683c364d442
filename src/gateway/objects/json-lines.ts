const NEWLINE = 10;

/**
 * The lines of a stream of bytes, one at a time, without their ends; empty ones are left out. A line that is longer than
 * `maxBytes` is dropped and given as null, so that memory stays bounded whatever comes.
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer | null> {
  let parts: Buffer[] = [];
  let size = 0;
  let tooLong = false;
  const take = (): Buffer | null => {
    const line = tooLong ? null : parts.length === 1 ? (parts[0] ?? null) : Buffer.concat(parts, size);
    parts = [];
    size = 0;
    tooLong = false;
    return line;
  };
  const keep = (part: Buffer): void => {
    size += part.length;
    tooLong ||= size > maxBytes;
    if (tooLong) parts = [];
    else parts.push(part);
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      if (end > start) keep(chunk.subarray(start, end));
      if (size > 0) yield take();
      start = end + 1;
    }
    if (start < chunk.length) keep(chunk.subarray(start));
  }
  if (size > 0) yield take();
}
