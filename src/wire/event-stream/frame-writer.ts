import { crc32 } from "node:zlib";

import { CHECKSUM_BYTES, LENGTHS_BYTES, MIN_FRAME_BYTES, PRELUDE_BYTES } from "./frame-layout.ts";
import { lengthsSum } from "./lengths-sum.ts";

/** Where one frame is being written: its headers begin PRELUDE_BYTES after `start`, its payload follows them. */
export interface FrameSpan {
  readonly start: number;
  readonly headersBytes: number;
  readonly payloadBytes: number;
}

/**
 * Closes a frame whose headers and payload are in place: writes its lengths and both checksums. Returns the offset after
 * it. The buffer must have MIN_FRAME_BYTES more than headers and payload.
 */
export function sealFrame(buffer: Buffer, { start, headersBytes, payloadBytes }: FrameSpan): number {
  const end = start + MIN_FRAME_BYTES + headersBytes + payloadBytes;
  buffer.writeUInt32BE(end - start, start);
  buffer.writeUInt32BE(headersBytes, start + 4);
  const preludeSum = lengthsSum(buffer, start);
  buffer.writeUInt32BE(preludeSum, start + LENGTHS_BYTES);
  const sumStart = end - CHECKSUM_BYTES;
  // A checksum goes on from that of the bytes before.
  buffer.writeUInt32BE(crc32(buffer.subarray(start + LENGTHS_BYTES, sumStart), preludeSum), sumStart);
  return end;
}

/** One whole frame. `headers` as `encodeHeaders` makes them. */
export function encodeFrame(headers: Buffer, payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(MIN_FRAME_BYTES + headers.length + payload.length);
  headers.copy(frame, PRELUDE_BYTES);
  payload.copy(frame, PRELUDE_BYTES + headers.length);
  sealFrame(frame, { start: 0, headersBytes: headers.length, payloadBytes: payload.length });
  return frame;
}
