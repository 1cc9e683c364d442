import { describe, expect, it } from "vitest";

import { readConversation, type Conversation } from "./conversation.ts";
import { parseMessageRequest } from "./parse-message-request.ts";

function read(messages: readonly object[]): Conversation {
  const body = { model: "m", max_tokens: 1, messages };
  return readConversation(parseMessageRequest(body, { needsMaxTokens: true, apiVersion: "2023-06-01" }));
}

const call = (id: string, command: string): object => ({ type: "tool_use", id, name: "Bash", input: { command } });
const result = (id: string, content: unknown): object => ({ type: "tool_result", tool_use_id: id, content });

describe("readConversation", () => {
  it("finds what the user typed among reminders, directives and system entries, as Claude Code sends them", () => {
    const conversation = read([
      {
        role: "user",
        content: [
          { type: "text", text: "<system-reminder>Today is Friday.</system-reminder>" },
          { type: "text", text: "Say hi [[sandbox: cut=3]]" },
        ],
      },
      { role: "system", content: "Skills that can be used: review" },
    ]);
    expect(conversation).toMatchObject({ prompt: "Say hi", results: [], callsMade: 0 });
    expect(conversation.lastText).toContain("[[sandbox: cut=3]]");
  });

  it("keeps the prompt in mind while tools are called, and counts the calls", () => {
    const conversation = read([
      { role: "user", content: "An earlier question" },
      { role: "assistant", content: "An answer" },
      { role: "user", content: "Run two things" },
      { role: "assistant", content: [call("a", "one")] },
      { role: "user", content: [result("a", "1")] },
      { role: "assistant", content: [{ type: "text", text: "next" }, call("b", "two")] },
      {
        role: "user",
        content: [
          result("b", [{ type: "text", text: "2" }]),
          { type: "text", text: "<system-reminder>x</system-reminder>" },
        ],
      },
    ]);
    expect(conversation.prompt).toBe("Run two things");
    expect(conversation.callsMade).toBe(2);
    expect(conversation.results).toEqual([
      { id: "b", toolName: "Bash", input: { command: "two" }, text: "2", isError: false },
    ]);
  });

  it("joins consecutive user messages into one turn and takes the last words", () => {
    expect(
      read([
        { role: "user", content: "context" },
        { role: "user", content: "question" },
      ]).prompt,
    ).toBe("question");
  });

  it("finds the files that the last turn refers to", () => {
    const conversation = read([
      {
        role: "user",
        content: [
          { type: "document", source: { type: "file", file_id: "file_1" } },
          { type: "text", text: "What is it?" },
        ],
      },
    ]);
    expect(conversation.fileIds).toEqual(["file_1"]);
  });
});
