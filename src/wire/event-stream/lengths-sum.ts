/** The CRC-32 of ISO 3309 by byte, reflected. */
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  return sum;
});

/**
 * The CRC-32 of the eight bytes from `start` on: the lengths at the start of a frame. For so few bytes the call of zlib's
 * crc32, and the view that it wants, cost four times as much.
 */
export function lengthsSum(buffer: Buffer, start: number): number {
  let sum = -1;
  // Both operands of each look-up are in range: the index is a byte, and the caller has eight bytes.
  for (let i = start; i < start + 8; i++) sum = (TABLE[(sum ^ (buffer[i] ?? 0)) & 255] ?? 0) ^ (sum >>> 8);
  return (sum ^ -1) >>> 0;
}
