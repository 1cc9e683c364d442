/**
 * The signature of thinking that came from a model which signs nothing. Messages clients send thinking blocks back as they
 * are, and want a signature in them; this one tells Weir that Claude would refuse the block.
 */
export const UNSIGNED = "weir-unsigned";

/** Whether a thinking block's signature is none that Claude gave. */
export function isUnsigned(signature: unknown): boolean {
  return typeof signature !== "string" || signature === "" || signature === UNSIGNED;
}
