/** The fixed words of an answer in one language. `number` counts the points of a list from 1. */
export interface Phrases {
  readonly greeting: string;
  readonly question: (gist: string) => string;
  readonly request: (gist: string) => string;
  readonly points: readonly ((topics: readonly string[]) => string)[];
  readonly more: readonly ((topic: string, number: number) => string)[];
  /** Says what the answer is, so that nobody takes it for a model's. */
  readonly honest: string;
  readonly result: (tool: string, subject: string) => string;
  readonly failed: (tool: string, subject: string) => string;
  readonly empty: string;
  /** What stands between two sentences. */
  readonly join: string;
}

export const ENGLISH: Phrases = {
  greeting: "Hello! How can I help?",
  question: (gist) => `You asked: "${gist}"`,
  request: (gist) => `I understand the request as: "${/[.!…]$/u.test(gist) ? gist : `${gist}.`}"`,
  points: [
    (topics) => `An answer has to deal with ${list(topics)}, in that order.`,
    (topics) => `What matters here is ${list(topics)}, and how they depend on each other.`,
    (topics) => `The subject comes down to ${list(topics)}.`,
  ],
  more: [
    (topic, number) => `${number}. **${topic}**: say what is known about it, and what has to be found out first.`,
    (topic, number) =>
      `${number}. **${topic}**: look at it on its own, and write down what would show that it is right.`,
    (topic, number) => `${number}. **${topic}**: compare it with what was expected; where they differ is the lead.`,
    (topic, number) =>
      `${number}. **${topic}**: change one thing at a time, and check the result before the next step.`,
    (topic, number) => `${number}. **${topic}**: note what was decided and why, so that the next reader need not ask.`,
  ],
  honest: "This reply comes from Weir's sandbox: it is put together from your words, and no model has read them.",
  result: (tool, subject) => `${tool}${subject === "" ? "" : ` (\`${subject}\`)`} returned:`,
  failed: (tool, subject) => `${tool}${subject === "" ? "" : ` (\`${subject}\`)`} failed:`,
  empty: "no output",
  join: " ",
};

export const CHINESE: Phrases = {
  greeting: "你好！有什么可以帮你的吗？",
  question: (gist) => `你的问题是：“${gist}”`,
  request: (gist) => `我理解你的要求是：“${gist}”`,
  points: [(topics) => `要点是：${topics.join("、")}。`, (topics) => `回答需要依次说明：${topics.join("、")}。`],
  more: [
    (topic, number) => `${number}. **${topic}**：先弄清已知的内容，以及还需要查明什么。`,
    (topic, number) => `${number}. **${topic}**：单独检查，写下怎样才算正确。`,
    (topic, number) => `${number}. **${topic}**：与预期对照，不同之处就是线索。`,
  ],
  honest: "这段回复来自 Weir 的沙箱：它只根据你的文字拼写而成，没有模型读过。",
  result: (tool, subject) => `${tool}${subject === "" ? "" : `(\`${subject}\`)`} 的结果：`,
  failed: (tool, subject) => `${tool}${subject === "" ? "" : `(\`${subject}\`)`} 失败：`,
  empty: "没有输出",
  join: "",
};

function list(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`;
}
