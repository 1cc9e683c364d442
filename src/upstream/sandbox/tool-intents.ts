import { firstSentence, tailOf } from "./prompt-words.ts";
import { pathIn } from "./schema-value.ts";

/** Something that a prompt asks for and that a tool can do. */
export type Intent =
  | { readonly kind: "shell"; readonly command: string }
  | { readonly kind: "read"; readonly path: string }
  | { readonly kind: "write"; readonly path: string; readonly content: string }
  | { readonly kind: "subagent"; readonly task: string }
  | { readonly kind: "fetch"; readonly url: string }
  | { readonly kind: "search"; readonly query: string };

export type IntentKind = Intent["kind"];

const SUBAGENT = /\bsub-?agents?\b|\b(?:task|agent) tool\b|\b(?:use|launch|spawn|start) an? (?:[\w-]+ )?agent\b/i;
const SUBAGENT_TASK =
  /(?:sub-?agents?|(?:task|agent)\s+tool|agent)\b[^.\n]{0,80}?\b(?:to|that|which|who|and have it|and ask it to)\s+([\s\S]+)/i;
const QUOTED_COMMAND = /\b(?:run|execute|try|call|invoke|use|start)\b[^`\n]{0,60}`([^`\n]+)`/gi;
const FENCED_COMMAND = /```(?:bash|sh|shell|console)\n([\s\S]+?)\n?```/gi;
const PLAIN_COMMAND =
  /\b(?:run|execute|use bash to|use the bash tool to)\b\s*(?:the\s+)?(?:shell\s+|bash\s+)?(?:command\b|script\b)?\s*:?\s*["']?((?:echo|ls|cat|pwd|cd|git|npm|npx|node|python3?|date|whoami|uname|make|curl|grep|find|head|tail|wc|sleep|true|false|env|printf|touch|mkdir|seq|cargo|go|pytest|docker|kubectl)\b[^\n"`]*)/gi;
/** Where a command written without quotes ends and the sentence goes on. */
const AFTER_COMMAND =
  /(?:["']?[.,;]?\s+(?:and|then|,)\s+(?:then\s+)?(?:tell|show|report|give|say|print|return|reply|summari[sz]e|explain|use)\b.*|["']?\s+(?:in|with|using|via)\s+(?:the\s+)?(?:bash|shell|terminal).*|["'.]+\s*)$/i;
const READ =
  /\b(?:read|open|view|show me|look at|summari[sz]e|print)\b\s+(?:the\s+|my\s+)?(?:contents?\s+of\s+)?(?:the\s+)?(file\s+)?([^\n]{1,200})/i;
const WRITE =
  /\b(?:write|save|put)\b\s+["'`]([^"'`\n]+)["'`]\s+(?:in)?to\s+(?:the\s+|a\s+)?(?:new\s+)?(?:file\s+)?(?:called\s+|named\s+)?([^\n]{1,200})/i;
const FETCH = /\b(?:fetch|download|open|visit|read|get)\b[^\n]{0,40}?(https?:\/\/[^\s"'`)>]+[^\s"'`)>.,;!?])/i;
const SEARCH =
  /\b(?:search\s+(?:the\s+)?(?:web|internet|online)|web\s+search|look\s+up(?:\s+online)?|google)\b(?:\s+(?:for|about|to\s+find(?:\s+out)?))?\s*:?\s*([^\n]{2,300})/i;
const TOPICAL =
  /\b(?:latest|current|today'?s|recent|this week'?s)\b.*\b(?:news|price|version|release|weather|results?|score|events?)\b/i;

/**
 * What a prompt asks for, in order. A prompt that wants a subagent wants only that: the rest is the subagent's task.
 * Works on the sentence forms that people use in demos and tests; it is no language understanding.
 */
export function findIntents(prompt: string): readonly Intent[] {
  const text = tailOf(prompt);
  if (SUBAGENT.test(text)) return [{ kind: "subagent", task: subagentTask(text) }];
  const commands = findCommands(text);
  if (commands.length > 0) return commands;
  const url = FETCH.exec(text)?.[1];
  if (url !== undefined) return [{ kind: "fetch", url }];
  const query = searchQuery(text);
  if (query !== null) return [{ kind: "search", query }];
  const write = WRITE.exec(text);
  const writePath = write === null ? undefined : (pathIn(write[2] ?? "") ?? firstWord(write[2] ?? ""));
  if (write !== null && writePath !== undefined) return [{ kind: "write", path: writePath, content: write[1] ?? "" }];
  const path = readPath(text);
  return path === undefined ? [] : [{ kind: "read", path }];
}

/** What a prompt wants searched on the web; null when it does not ask for that. */
export function searchQuery(prompt: string): string | null {
  const text = tailOf(prompt);
  const asked = SEARCH.exec(text)?.[1]
    ?.trim()
    .replace(/[.?!]+$/, "");
  if (asked !== undefined && asked !== "") return asked;
  return TOPICAL.test(text) ? firstSentence(text).replace(/[.?!]+$/, "") : null;
}

function findCommands(text: string): readonly Intent[] {
  const quoted = [...text.matchAll(QUOTED_COMMAND), ...text.matchAll(FENCED_COMMAND)];
  const found = quoted.length > 0 ? quoted : [...text.matchAll(PLAIN_COMMAND)];
  const isPlain = quoted.length === 0;
  return found
    .sort((left, right) => left.index - right.index)
    .map((match) => (isPlain ? (match[1] ?? "").replace(AFTER_COMMAND, "") : (match[1] ?? "")).trim())
    .filter((command) => command !== "")
    .map((command) => ({ kind: "shell", command }));
}

function subagentTask(text: string): string {
  const task = (SUBAGENT_TASK.exec(text)?.[1] ?? text).trim();
  // The subagent must not read its task as an order to start another subagent.
  const own = task
    .replace(/\b(?:an?\s+|the\s+)?sub-?agents?\b/gi, "yourself")
    .replace(/\b(?:task|agent) tool\b/gi, "your tools");
  return own.charAt(0).toUpperCase() + own.slice(1);
}

function readPath(text: string): string | undefined {
  const match = READ.exec(text);
  if (match === null) return undefined;
  const rest = match[2] ?? "";
  return pathIn(rest) ?? (match[1] === undefined ? undefined : firstWord(rest));
}

function firstWord(text: string): string | undefined {
  return /[\w@.+~/-]*\w/.exec(text)?.[0];
}
