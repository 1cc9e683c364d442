/** What a frequent `content_block_delta` event carries: the JSON text of one string. */
export interface ScannedDelta {
  readonly kind: "text" | "arguments" | "reasoning";
  /** With its quotes, as it came, one character a byte. */
  readonly literal: string;
}

const HEAD = 'event: content_block_delta\ndata: {"type":"content_block_delta","index":';
const KINDS: readonly { readonly kind: ScannedDelta["kind"]; readonly head: string }[] = [
  { kind: "text", head: ',"delta":{"type":"text_delta","text":"' },
  { kind: "arguments", head: ',"delta":{"type":"input_json_delta","partial_json":"' },
  { kind: "reasoning", head: ',"delta":{"type":"thinking_delta","thinking":"' },
];
const BACKSLASH = 92;

/**
 * Takes the string out of a delta event in the shape that Anthropic writes, without parsing: its JSON text is good in
 * Chat's chunk as it is. `event` is the event's bytes as Latin-1. Null for any other shape, which is then parsed.
 */
export function scanDelta(event: string): ScannedDelta | null {
  if (!event.startsWith(HEAD)) return null;
  let at = HEAD.length;
  while (event.charCodeAt(at) >= 48 && event.charCodeAt(at) <= 57) at++;
  for (const { kind, head } of KINDS) {
    if (!event.startsWith(head, at)) continue;
    const start = at + head.length - 1;
    const end = endOfLiteral(event, start);
    return end > 0 && endsThere(event, end) ? { kind, literal: event.slice(start, end) } : null;
  }
  return null;
}

/** The offset after the quote that closes the string opening at `start`, or -1. */
function endOfLiteral(text: string, start: number): number {
  let quote = start;
  for (;;) {
    quote = text.indexOf('"', quote + 1);
    if (quote < 0) return -1;
    let before = quote - 1;
    while (text.charCodeAt(before) === BACKSLASH) before--;
    if (((quote - 1 - before) & 1) === 0) return quote + 1;
  }
}

/** Whether only the closing braces, padding and the line's end follow. */
function endsThere(event: string, from: number): boolean {
  let braces = 0;
  for (let i = from; i < event.length; i++) {
    const code = event.charCodeAt(i);
    if (code === 125) braces++;
    else if (code === 10) return braces === 2 && event.length - i <= 2;
    else if (code !== 32) return false;
  }
  return false;
}

/** Length in UTF-16 units of the string that a literal (one character a byte) stands for. */
export function lengthOfLiteral(literal: string): number {
  if (!/[\\\u0080-\u00ff]/.test(literal)) return literal.length - 2;
  const value: unknown = JSON.parse(Buffer.from(literal, "latin1").toString("utf8"));
  return typeof value === "string" ? value.length : 0;
}
