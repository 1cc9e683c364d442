/**
 * Characters that take two columns (East Asian Width W and F, and emoji). A table of scripts instead of Unicode's full
 * list: enough for names of people, teams and models.
 */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Emoji_Presentation}\u3001-\u303e\u3000\u30fb\u30fc\uff01-\uff60\uffe0-\uffe6]/u;
/** Half-width forms of scripts that are wide otherwise. */
const NARROW = /^[\uff61-\uffdc]/u;
const INVISIBLE = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u;
const GRAPHEMES = new Intl.Segmenter("en", { granularity: "grapheme" });

/** How many columns of a terminal a text takes. Escape sequences count as characters: measure before you colour. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(text)) width += graphemeWidth(segment);
  return width;
}

function graphemeWidth(grapheme: string): number {
  if (INVISIBLE.test(grapheme)) return 0;
  // U+FE0F asks for the picture of a character that is plain text otherwise.
  if (grapheme.includes("\ufe0f")) return 2;
  return WIDE.test(grapheme) && !NARROW.test(grapheme) ? 2 : 1;
}

/** The text cut to `width` columns, with `…` where something was left out. */
export function fitWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let out = "";
  let used = 1;
  for (const { segment } of GRAPHEMES.segment(text)) {
    used += graphemeWidth(segment);
    if (used > width) break;
    out += segment;
  }
  return `${out}…`;
}

/** The text with spaces to fill `width` columns. */
export function padTo(text: string, width: number, align: "left" | "right" = "left"): string {
  const spaces = " ".repeat(Math.max(0, width - displayWidth(text)));
  return align === "left" ? text + spaces : spaces + text;
}

/**
 * Text from elsewhere (names, values) made safe to print on one line: control characters, which could move the cursor or
 * recolour the screen, and marks that turn the reading direction around become visible escapes.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u${code.toString(16).padStart(4, "0")}`;
  });
}
