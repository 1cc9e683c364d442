import type { Conversation } from "./conversation.ts";
import { isObject, textOf, type JsonObject } from "./json-value.ts";
import type { MessageRequest } from "./message-request.ts";
import { firstSentence, keywords, tailOf } from "./prompt-words.ts";
import { schemaValue } from "./schema-value.ts";
import { findIntents, type Intent, type IntentKind } from "./tool-intents.ts";

/** A call of a client's tool. */
export interface ToolCall {
  readonly name: string;
  readonly input: JsonObject;
}

/** Names under which clients offer a tool for each kind of intent, compared without case and separators. */
const NAMES: Readonly<Record<IntentKind, readonly string[]>> = {
  shell: ["bash", "shell", "runcommand", "executecommand", "runshellcommand", "terminal", "exec"],
  read: ["read", "readfile", "viewfile", "openfile", "strreplacebasededittool", "strreplaceeditor"],
  write: ["write", "writefile", "createfile"],
  subagent: ["agent", "task", "subagent", "runagent", "dispatchagent"],
  fetch: ["webfetch", "fetch", "fetchurl"],
  search: ["websearch", "searchweb"],
};

/** Words in tool names that say nothing about what the tool is for. */
const GENERIC_WORDS = new Set(
  "get set list create update delete find fetch search lookup query run do make tool call mcp the".split(" "),
);

/** The calls that the next answer should make; none when the answer is text. */
export function planToolCalls(request: MessageRequest, conversation: Conversation): readonly ToolCall[] {
  const choice = request.toolChoice;
  if (!choice.allowed) return [];
  const tools = request.tools
    .filter(isClientTool)
    .filter((tool) => choice.name === null || tool["name"] === choice.name);
  const wanted = wantedCalls(tools, conversation.prompt, request);
  const left = wanted.slice(conversation.callsMade);
  const next =
    choice.parallel && /\b(?:in parallel|at once|simultaneously|at the same time)\b/i.test(conversation.prompt)
      ? left
      : left.slice(0, 1);
  if (next.length > 0 || !choice.forced) return next;
  const tool = wanted[0] === undefined ? tools[0] : tools.find((offered) => offered["name"] === wanted[0]?.name);
  return tool === undefined ? [] : [callOf(tool, {}, conversation.prompt)];
}

/** Tools that the client runs itself; web search, code execution and other server tools have a dated type. */
function isClientTool(tool: JsonObject): boolean {
  const type = textOf(tool, "type");
  if (!/^[\w-]+$/.test(textOf(tool, "name"))) return false;
  return type === "" || type === "custom" || /^(?:bash|text_editor|memory)_\d+$/.test(type);
}

function wantedCalls(tools: readonly JsonObject[], prompt: string, request: MessageRequest): readonly ToolCall[] {
  const calls: ToolCall[] = [];
  for (const intent of findIntents(prompt)) {
    const tool = toolFor(intent.kind, tools);
    if (tool !== undefined) calls.push(callOf(tool, knownInput(intent, tool, request), prompt));
  }
  if (calls.length > 0) return calls;
  const named = tools.find((tool) => isNamedBy(textOf(tool, "name"), prompt));
  return named === undefined ? [] : [callOf(named, {}, prompt)];
}

function toolFor(kind: IntentKind, tools: readonly JsonObject[]): JsonObject | undefined {
  return tools.find((tool) => NAMES[kind].includes(textOf(tool, "name").replace(/[_-]/g, "").toLowerCase()));
}

function callOf(tool: JsonObject, known: Readonly<Record<string, unknown>>, prompt: string): ToolCall {
  const name = textOf(tool, "name");
  const schema = tool["input_schema"];
  if (!isObject(schema)) return { name, input: known };
  const value = schemaValue(schema, { prompt, known });
  return { name, input: isObject(value) ? value : {} };
}

/** The values that an intent gives, under every property name that tools use for them. */
function knownInput(intent: Intent, tool: JsonObject, request: MessageRequest): Readonly<Record<string, unknown>> {
  switch (intent.kind) {
    case "shell":
      if (!isObject(tool["input_schema"])) return { command: intent.command };
      return { command: intent.command, cmd: intent.command, description: `Run ${firstSentence(intent.command)}` };
    case "read":
      if (!isObject(tool["input_schema"])) return { command: "view", path: intent.path };
      return pathInput(intent.path, request);
    case "write":
      return {
        ...pathInput(intent.path, request),
        content: intent.content,
        contents: intent.content,
        text: intent.content,
      };
    case "subagent":
      return {
        description: keywords(intent.task, 4).join(" ") || "Do the task",
        prompt: intent.task,
        task: intent.task,
        subagent_type: "general-purpose",
        // In the foreground, so that the result comes back as the tool's result.
        run_in_background: false,
      };
    case "fetch":
      return { url: intent.url, prompt: "Summarize the page." };
    case "search":
      break;
  }
  return { query: intent.query, q: intent.query };
}

function pathInput(path: string, request: MessageRequest): Readonly<Record<string, unknown>> {
  // Claude Code's file tools take absolute paths and its system prompt names the working directory.
  const directory = /working directory:\s*(\/[^\s<]*)/i.exec(systemText(request))?.[1];
  const isRelative = !path.startsWith("/") && !path.startsWith("~");
  const full =
    isRelative && directory !== undefined ? `${directory.replace(/\/$/, "")}/${path.replace(/^\.\//, "")}` : path;
  return { file_path: full, path: full, filename: full, file: full };
}

/** Claude Code puts its environment into the system prompt or into a reminder or system entry among the messages. */
function systemText(request: MessageRequest): string {
  const blocks = [...request.system, ...request.turns.slice(0, 3).flatMap((turn) => turn.blocks)];
  return blocks.map((block) => textOf(block, "text")).join("\n");
}

/** True when a prompt asks for a tool: by its full name, or by all telling words of a name such as `get_weather`. */
function isNamedBy(name: string, prompt: string): boolean {
  const text = tailOf(prompt).toLowerCase();
  const escaped = name.toLowerCase().replace(/[-_]/g, "[-_ ]");
  if (new RegExp(`\\b(?:use|call|invoke|using|with)\\s+(?:the\\s+|a\\s+)?["'\`]?${escaped}\\b`).test(text)) return true;
  if (!/[_-]/.test(name)) return false;
  const words = (name.split("__").at(-1) ?? name).toLowerCase().split(/[_-]/);
  const telling = words.filter((word) => word.length > 2 && !GENERIC_WORDS.has(word));
  return telling.length > 0 && telling.every((word) => new RegExp(`\\b${word}`).test(text));
}
