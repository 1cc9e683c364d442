import type { Random } from "../random.ts";

const NOUNS =
  "buffer gauge channel sluice ledger reading basin valve record margin station window sample outlet level".split(" ");
const VERBS =
  "reads writes opens closes checks counts drains fills splits merges retries rounds skips sorts stores".split(" ");
const ADJECTIVES = "open shallow stale exact partial upper lower empty signed pending steady narrow durable late".split(
  " ",
);
const COMMENTS = [
  "keeps the order",
  "见测量说明",
  "größer als null",
  "see the note above",
  "never below zero — checked by the caller",
];

function one<T>(items: readonly T[], random: Random): T {
  // Not undefined: every list above has items and next() is below one.
  return items[Math.floor(random.next() * items.length)] as T;
}

/** A sentence as an assistant would say it between two tool calls. */
export function sentence(random: Random): string {
  return `The ${one(ADJECTIVES, random)} ${one(NOUNS, random)} ${one(VERBS, random)} the ${one(NOUNS, random)} before the ${one(ADJECTIVES, random)} ${one(NOUNS, random)} ${one(VERBS, random)} it.`;
}

/** Text like a source file: short lines, quotes, tabs and some letters beyond ASCII, which JSON has to escape or encode. */
export function sourceText(aboutBytes: number, random: Random): string {
  let text = "";
  while (text.length < aboutBytes) text += line(random);
  return text;
}

function line(random: Random): string {
  const [a, b, c] = [one(NOUNS, random), one(NOUNS, random), one(ADJECTIVES, random)];
  const n = random.nextUint32() % 10_000;
  switch (n % 5) {
    case 0:
      return `${n}\tfunction ${a}${n}(${b}: number): string {\n`;
    case 1:
      return `${n}\t  if (${a}.${b} > ${n}) throw new Error("${c} ${a}: " + ${b});\n`;
    case 2:
      return `${n}\t  const ${c}${n} = ${a}.map((x) => x.${b} * ${n});\n`;
    case 3:
      return `${n}\t  // ${sentence(random)} ${one(COMMENTS, random)}\n`;
    default:
      return `${n}\t  return \`\${${a}}/${b}-${n}\`;\n${n + 1}\t}\n`;
  }
}
