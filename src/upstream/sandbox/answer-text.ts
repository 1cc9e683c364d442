import { CHINESE, ENGLISH, type Phrases } from "./answer-phrases.ts";
import type { Conversation, ToolResult } from "./conversation.ts";
import { textOf } from "./json-value.ts";
import { exactReply, firstSentence, isChinese, keywords } from "./prompt-words.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { estimateTokens, takeTokens } from "./tokens.ts";

const MAX_QUOTED_RESULT_CHARS = 1_200;
/** With fewer content words a prompt gives nothing to enlarge upon. */
const MIN_TOPICS = 2;

/** How long the text of an answer is to be. */
export interface LengthWish {
  /** Exactly so many tokens; null for whatever comes out. */
  readonly tokens: number | null;
}

/** The text that answers a prompt or sums up tool results. Deterministic in the conversation and the generator. */
export function answerText(conversation: Conversation, random: SeededRandom, wish: LengthWish): string {
  const exact = exactReply(conversation.prompt);
  if (exact !== null && wish.tokens === null) return exact;
  const phrases = isChinese(conversation.prompt) ? CHINESE : ENGLISH;
  const opening =
    conversation.results.length > 0
      ? conversation.results.map((result) => summarize(result, phrases)).join("\n\n")
      : compose(conversation.prompt, phrases, random);
  if (wish.tokens === null) return opening;
  return takeTokens(
    lengthen(opening, { phrases, random, topics: topicsOf(conversation.prompt), tokens: wish.tokens }),
    wish.tokens,
  );
}

/** What is thought before an answer: the gist of the prompt and the step that follows. */
export function thinkingText(conversation: Conversation, nextStep: string, random: SeededRandom): string {
  const gist = firstSentence(conversation.prompt) || "an empty prompt";
  const topics = topicsOf(conversation.prompt).join(", ");
  const consider = random.pick([
    `The words that carry the meaning are: ${topics}.`,
    `I should keep to what was asked: ${topics}.`,
    `Relevant here: ${topics}.`,
  ]);
  return `The user says: "${gist}" ${consider} ${nextStep}`;
}

function compose(prompt: string, phrases: Phrases, random: SeededRandom): string {
  const gist = firstSentence(prompt);
  if (gist === "" || /^(?:hi|hello|hey|good (?:morning|evening)|你好|您好)[!.!。\s]*$/iu.test(gist)) {
    return [phrases.greeting, phrases.honest].join(phrases.join);
  }
  const isQuestion = /[?？]$/u.test(gist);
  const opening = isQuestion ? phrases.question(gist) : phrases.request(gist);
  const topics = topicsOf(prompt);
  if (topics.length < MIN_TOPICS) return [opening, phrases.honest].join(phrases.join);
  const lead = [opening, random.pick(phrases.points)(topics)].join(phrases.join);
  const steps = topics.slice(0, random.between(MIN_TOPICS, topics.length));
  const lines = steps.map((topic, index) => random.pick(phrases.more)(topic, index + 1));
  return [lead, "", ...lines, "", phrases.honest].join("\n");
}

function summarize(result: ToolResult, phrases: Phrases): string {
  const subject = subjectOf(result);
  const lead = (result.isError ? phrases.failed : phrases.result)(result.toolName || "The tool", subject);
  if (result.text === "") return `${lead} ${phrases.empty}.`;
  const isCut = result.text.length > MAX_QUOTED_RESULT_CHARS;
  const quoted = isCut ? `${result.text.slice(0, MAX_QUOTED_RESULT_CHARS)}…` : result.text;
  return quoted.includes("\n") ? `${lead}\n\n\`\`\`\n${quoted}\n\`\`\`` : `${lead} ${quoted}`;
}

/** What a call was about: the command, path, address or query of its input. */
function subjectOf(result: ToolResult): string {
  for (const key of ["command", "file_path", "path", "url", "query", "description"]) {
    const value = textOf(result.input, key);
    if (value !== "") return firstSentence(value);
  }
  return "";
}

interface Lengthening {
  readonly phrases: Phrases;
  readonly random: SeededRandom;
  readonly topics: readonly string[];
  readonly tokens: number;
}

function lengthen(opening: string, { phrases, random, topics, tokens }: Lengthening): string {
  const subjects = topics.length === 0 ? ["…"] : topics;
  const parts = [opening];
  let estimate = estimateTokens(opening);
  for (let number = 1; estimate < tokens; number++) {
    const line = random.pick(phrases.more)(random.pick(subjects), number);
    parts.push(line);
    // The line break counts as well; estimating a line too low would only add another line.
    estimate += estimateTokens(line);
  }
  return parts.join("\n");
}

function topicsOf(prompt: string): readonly string[] {
  return keywords(prompt, 4);
}
