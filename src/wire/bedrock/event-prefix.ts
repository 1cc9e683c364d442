/** How an event of one type begins, on Bedrock and in a server-sent event stream. */
export interface EventPrefix {
  /** The base64 text that every JSON that opens with `{"type":"message_stop"` has in common, but for its last bytes. */
  readonly base64: string;
  /** What of the opening that text does not cover, up to the quote after the type. */
  readonly rest: string;
  /** `event: message_stop\ndata: {"type":"message_sto`: the event up to where `rest` begins. */
  readonly sse: Buffer;
}

/** The types of a Messages stream, the most frequent first. Others are found by parsing. */
const TYPES = [
  "content_block_delta",
  "content_block_start",
  "content_block_stop",
  "message_delta",
  "message_stop",
  "message_start",
  "ping",
];

export const EVENT_PREFIXES: readonly EventPrefix[] = TYPES.map(prefixOf);

/** By far the most frequent one. */
export const DELTA_PREFIX: EventPrefix = prefixOf("content_block_delta");

function prefixOf(type: string): EventPrefix {
  const opening = `{"type":"${type}"`;
  // Three bytes are four characters: what goes beyond a multiple of three depends on the byte that follows.
  const coveredBytes = opening.length - (opening.length % 3);
  const covered = opening.slice(0, coveredBytes);
  return {
    base64: Buffer.from(covered).toString("base64"),
    rest: opening.slice(coveredBytes),
    sse: Buffer.from(`event: ${type}\ndata: ${covered}`),
  };
}
