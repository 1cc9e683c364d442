const LF = 10;

/** Bytes of an event beyond which it is not read; the largest real ones are search results of some megabytes. */
export const MAX_EVENT_BYTES = 64 * 1024 * 1024;

/** The `data` of the server-sent event in `buffer[start, end)`, lines joined as the standard says; null when it has none. */
export function eventData(buffer: Buffer, start: number, end: number): string | null {
  let data: string | null = null;
  let at = start;
  while (at < end) {
    let lineEnd = buffer.indexOf(LF, at);
    if (lineEnd < 0 || lineEnd > end) lineEnd = end;
    // "data:"
    if (buffer[at] === 100 && buffer[at + 1] === 97 && buffer[at + 4] === 58) {
      const from = buffer[at + 5] === 32 ? at + 6 : at + 5;
      const to = buffer[lineEnd - 1] === 13 ? lineEnd - 1 : lineEnd;
      const line = buffer.toString("utf8", from, Math.max(from, to));
      data = data === null ? line : `${data}\n${line}`;
    }
    at = lineEnd + 1;
  }
  return data;
}

/** The JSON in the event's data; undefined when there is none or it is broken. */
export function eventJson(buffer: Buffer, start: number, end: number): unknown {
  const data = eventData(buffer, start, end);
  if (data === null) return undefined;
  try {
    return JSON.parse(data);
  } catch {
    return undefined; // The caller decides whether that is an error.
  }
}
