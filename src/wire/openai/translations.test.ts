import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { attachmentOf, blockOfFile, imageBlockOfUrl, urlOfImageSource } from "./attachments.ts";
import { messageId, messagesToolId, openaiId } from "./ids.ts";
import { modelTraits } from "./model-traits.ts";
import { effortOf } from "./reasoning.ts";
import { argumentsOfInput, functionOfTool, inputOfArguments, toolOfFunction } from "./tools.ts";

describe("ids", () => {
  it("of tools are left alone where Messages takes them, else made over the same way each time", () => {
    expect(messagesToolId("toolu_01A")).toBe("toolu_01A");
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (id) => {
        expect(messagesToolId(id)).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
        expect(messagesToolId(id)).toBe(messagesToolId(id));
      }),
    );
    expect(messagesToolId("a:1")).not.toBe(messagesToolId("a_1"));
    expect(messagesToolId("a:1")).not.toBe(messagesToolId("a.1"));
  });

  it("of answers come back", () => {
    expect(messageId("chatcmpl-", openaiId("chatcmpl-", "msg_01A"))).toBe("msg_01A");
  });
});

describe("tools", () => {
  it("come back from a function", () => {
    const tool = { name: "f", description: "d", input_schema: { type: "object", properties: {} }, strict: true };
    expect(toolOfFunction(functionOfTool(tool, "t"), "t")).toEqual(tool);
  });

  it("have arguments that come back, also when they are no JSON object", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        const back = argumentsOfInput(inputOfArguments(text));
        const unchanged = back === text || (text.trim() === "" && back === "{}");
        expect(unchanged || JSON.stringify(JSON.parse(text)) === back).toBe(true);
      }),
    );
  });
});

describe("images and files", () => {
  it("come back as the URL that they were", () => {
    for (const url of ["https://e.org/a.png", "data:image/webp;base64,UklG"]) {
      expect(urlOfImageSource(imageBlockOfUrl(url, "p")["source"], "p")).toBe(url);
    }
  });

  it.each([
    ["data:image/svg+xml;base64,PHN2", "jpeg, png, gif or webp"],
    ["data:image/png,plain", "base64"],
    ["ftp://e.org/a.png", "https URL or a data URL"],
  ])("of the kind %s are refused", (url, message) => {
    expect(() => imageBlockOfUrl(url, "p")).toThrow(message);
  });

  it("may be bare base64 of a PDF", () => {
    const block = blockOfFile({ file_data: "JVBERi0xLjcK", filename: "a" }, "p");
    expect(attachmentOf(block, "p")).toMatchObject({
      kind: "data",
      dataUrl: "data:application/pdf;base64,JVBERi0xLjcK",
    });
  });

  it("of other types are refused by name", () => {
    const docx = { file_data: "data:application/msword;base64,AAAA" };
    expect(() => blockOfFile(docx, "p")).toThrow("p.file_data: files of type application/msword are not taken");
  });
});

describe("traits of models", () => {
  it.each([
    ["claude-opus-4-5-20251101", { thinking: "budget", sampling: "one", thinkingOff: "disabled" }],
    ["us.anthropic.claude-sonnet-4-6-v1:0", { thinking: "adaptive", sampling: "one", xhigh: false }],
    ["claude-opus-4-8", { thinking: "adaptive", sampling: "none", xhigh: true }],
    ["claude-opus-5", { thinkingOff: "disabled", sampling: "none" }],
    ["claude-fable-5-1", { thinkingOff: "never" }],
    ["claude-opus-5-5", { thinkingOff: "never" }],
    ["claude-sonnet-5-5", { thinkingOff: "between_tools" }],
    ["claude-haiku-5-5@20261007", { thinkingOff: "disabled", thinking: "adaptive" }],
    ["claude-3-haiku-20240307", { thinking: "budget", defaultMaxTokens: 4096 }],
    ["anything", { thinking: "adaptive", sampling: "both", defaultMaxTokens: 16_384 }],
  ])("are found for %s", (model, traits) => {
    expect(modelTraits(model)).toMatchObject(traits);
  });
});

describe("the effort of a Messages request", () => {
  it.each([
    [{ type: "disabled" }, undefined, "none"],
    [{ type: "adaptive" }, { effort: "max" }, "max"],
    [{ type: "adaptive" }, undefined, null],
    [undefined, { effort: "low" }, "low"],
    [{ type: "enabled", budget_tokens: 1024 }, undefined, "low"],
    [{ type: "enabled", budget_tokens: 10_000 }, undefined, "medium"],
    [{ type: "enabled", budget_tokens: 31_999 }, undefined, "high"],
  ])("with thinking %j and output_config %j is %s", (thinking, config, effort) => {
    expect(effortOf(thinking, config)).toBe(effort);
  });
});
