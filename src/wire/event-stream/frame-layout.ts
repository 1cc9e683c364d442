/**
 * A frame of application/vnd.amazon.eventstream: its whole length, the length of its headers and a CRC-32 of these eight
 * bytes; the headers; the payload; a CRC-32 of everything before it. All numbers are big-endian.
 * https://smithy.io/2.0/aws/amazon-eventstream.html
 */
export const PRELUDE_BYTES = 12;
export const LENGTHS_BYTES = 8;
export const CHECKSUM_BYTES = 4;
/** A frame without headers and payload. */
export const MIN_FRAME_BYTES = PRELUDE_BYTES + CHECKSUM_BYTES;
/** No event of a model comes near; a length beyond it is taken for damage rather than waited for. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

export const EVENT_STREAM_TYPE = "application/vnd.amazon.eventstream";
