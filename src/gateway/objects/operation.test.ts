import { describe, expect, it } from "vitest";

import { readOperation, upstreamPathOf } from "./operation.ts";

describe("an operation on batches or files", () => {
  it.each([
    ["batch", "POST", "", "create", "/v1/messages/batches"],
    ["batch", "GET", "", "list", "/v1/messages/batches"],
    ["batch", "GET", "/msgbatch_1", "retrieve", "/v1/messages/batches/msgbatch_1"],
    ["batch", "DELETE", "/msgbatch_1", "delete", "/v1/messages/batches/msgbatch_1"],
    ["batch", "POST", "/msgbatch_1/cancel", "cancel", "/v1/messages/batches/msgbatch_1/cancel"],
    ["batch", "GET", "/msgbatch_1/results", "results", "/v1/messages/batches/msgbatch_1/results"],
    ["file", "POST", "", "create", "/v1/files"],
    ["file", "GET", "", "list", "/v1/files"],
    ["file", "GET", "/file_1", "retrieve", "/v1/files/file_1"],
    ["file", "DELETE", "/file_1", "delete", "/v1/files/file_1"],
    ["file", "GET", "/file_1/content", "content", "/v1/files/file_1/content"],
  ] as const)("%s: %s %s is %s", (...[kind, method, rest, action, path]) => {
    const operation = readOperation(kind, method, rest);
    expect(operation.action).toBe(action);
    expect(upstreamPathOf(operation)).toBe(path);
  });

  it.each([
    ["batch", "DELETE", "", "GET"],
    ["batch", "POST", "/msgbatch_1", "DELETE"],
    ["batch", "GET", "/msgbatch_1/cancel", "POST"],
    ["batch", "DELETE", "/msgbatch_1/results", "GET"],
    ["file", "POST", "/file_1/content", "GET"],
  ] as const)("%s: %s %s is refused with the methods that are allowed", (kind, method, rest, allowed) => {
    expect(() => readOperation(kind, method, rest)).toThrow(
      expect.objectContaining({
        code: "weir:request:method_not_allowed",
        facts: { headers: { allow: expect.stringContaining(allowed) } },
      }),
    );
  });

  it.each(["/file_1/results", "/file_1/", "/file_1/content/more", "/a/b/c"])("nothing is at %s", (rest) => {
    expect(() => readOperation("file", "GET", rest)).toThrow(
      expect.objectContaining({ code: "weir:request:not_found" }),
    );
  });

  it.each(["/", "/..", "/%2e%2e", "/..%2f..%2fv1%2fmessages", "/a b", "/x?y", `/${"a".repeat(300)}`])(
    "%s names no object, so nothing of it reaches a path upstream",
    (rest) => {
      expect(() => readOperation("file", "GET", rest)).toThrow(
        expect.objectContaining({ code: "weir:access:not_owner" }),
      );
    },
  );
});
