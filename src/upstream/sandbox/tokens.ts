/**
 * Token estimates. The real tokenizer is not public, so the sandbox counts by a fixed rule, in thousandths of a token a
 * UTF-16 unit: ASCII 278 (3.6 characters a token), other scripts below U+2E80 such as accented Latin, Greek or Cyrillic
 * 455 (2.2 characters a token), CJK and everything above 1000 (one token a unit, two for a surrogate pair).
 */
const ASCII_MILLI = 278;
const OTHER_MILLI = 455;
const WIDE_MILLI = 1000;
const FIRST_WIDE_UNIT = 0x2e80;

/** Estimated tokens of a text, rounded up; 0 for the empty text. */
export function estimateTokens(text: string): number {
  if (Buffer.byteLength(text) === text.length) return Math.ceil((text.length * ASCII_MILLI) / 1000);
  let milli = 0;
  for (let at = 0; at < text.length; at++) milli += unitMilli(text.charCodeAt(at));
  return Math.ceil(milli / 1000);
}

/** The longest prefix of `text` whose estimate is at most `tokens`; never ends within a surrogate pair. */
export function takeTokens(text: string, tokens: number): string {
  const budget = tokens * 1000;
  let milli = 0;
  let end = 0;
  while (end < text.length) {
    milli += unitMilli(text.charCodeAt(end));
    if (milli > budget) break;
    end++;
  }
  return text.slice(0, isInsidePair(text, end) ? end - 1 : end);
}

/** True when cutting `text` at `index` would split a surrogate pair. */
export function isInsidePair(text: string, index: number): boolean {
  if (index <= 0 || index >= text.length) return false;
  return (text.charCodeAt(index - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(index) & 0xfc00) === 0xdc00;
}

function unitMilli(unit: number): number {
  if (unit < 0x80) return ASCII_MILLI;
  return unit < FIRST_WIDE_UNIT ? OTHER_MILLI : WIDE_MILLI;
}
