/** Only so much of a long prompt is looked at for its gist: its end, where clients put what the user typed. */
const LOOKED_AT_CHARS = 4_000;
const SENTENCE_CHARS = 160;
/** Chinese has no spaces, so a "word" can be a whole clause. */
const KEYWORD_CHARS = 24;

const STOP_WORDS = new Set(
  (
    "a about after all also an and any are as at be been before between but by can could did do does for from get give had has have " +
    "her here his how i if in into is it its just like make me more my no not now of on one only or other our out please " +
    "reply say shall she should so some tell than that the their them then there these they this those to up us use using " +
    "want was we were what when where which who why will with would you your exactly answer write explain show"
  ).split(" "),
);

/** The end of a prompt, long enough to find out what it asks for. */
export function tailOf(prompt: string): string {
  return prompt.length <= LOOKED_AT_CHARS ? prompt : prompt.slice(-LOOKED_AT_CHARS);
}

/** The first sentence of a prompt on one line, cut at a word when long. */
export function firstSentence(prompt: string): string {
  const line = prompt.trim().split("\n", 1)[0] ?? "";
  const sentence = /^.+?[.?!。？！](?=\s|$)/u.exec(line)?.[0] ?? line;
  if (sentence.length <= SENTENCE_CHARS) return sentence.trim();
  const cut = sentence.slice(0, SENTENCE_CHARS);
  const space = cut.lastIndexOf(" ");
  return `${cut.slice(0, space > 0 ? space : SENTENCE_CHARS).trim()}…`;
}

/** Up to `limit` different content words of a prompt in order of appearance. */
export function keywords(prompt: string, limit: number): readonly string[] {
  const found = new Map<string, string>();
  for (const match of tailOf(prompt).matchAll(/[\p{L}\p{N}][\p{L}\p{N}_'-]*/gu)) {
    const word = match[0].replace(/'s$/, "").slice(0, KEYWORD_CHARS);
    const key = word.toLowerCase();
    if (word.length < 3 || STOP_WORDS.has(key) || found.has(key)) continue;
    found.set(key, word);
    if (found.size === limit) break;
  }
  return [...found.values()];
}

/** True when the prompt is mostly written in Chinese characters. */
export function isChinese(prompt: string): boolean {
  const tail = tailOf(prompt);
  return (tail.match(/\p{Script=Han}/gu)?.length ?? 0) * 3 > tail.length;
}

/** The text that the prompt wants to get back word for word (`Reply with exactly: X`); null when it wants none. */
export function exactReply(prompt: string): string | null {
  const match = EXACT.exec(tailOf(prompt));
  const line = match?.[2]?.trim() ?? "";
  if (match === null || line === "") return null;
  const quoted = /^(["'`“])([^"'`”]+)["'`”]/.exec(line)?.[2];
  if (quoted !== undefined) return quoted;
  const bare = line.replace(/,?\s+and\s+nothing\s+(?:else|more).*$/i, "").replace(/,?\s+nothing\s+else.*$/i, "");
  // After a colon the text is taken as it stands; without one a full stop ends the sentence, not the text.
  return match[1] === ":" ? bare : bare.replace(/[.!]$/, "");
}

const EXACT =
  /\b(?:reply|respond|answer|say|output|print|return)\b(?:\s+(?:back|to\s+me))?(?:\s+with)?\s+(?:exactly|only|just|verbatim|precisely)(?:\s+(?:with|this|the\s+(?:following|words?|text|string|phrase)))*\s*(:?)\s*([^\n]+)/i;
