import { describe, expect, it } from "vitest";

import { checkTarget, messagesUrl } from "./target-guard.ts";

describe("the target of a load test", () => {
  it.each([
    "http://127.0.0.1:8080/",
    "http://127.8.7.6/",
    "http://localhost:1/",
    "https://LOCALHOST/",
    "http://[::1]:8080/",
  ])("may be %s without asking, because it is this machine", (url) => {
    expect(checkTarget(url, null).href).toBeTruthy();
  });

  it.each([
    "https://api.anthropic.com/",
    "http://10.0.0.5:8080/",
    "http://0.0.0.0:8080/",
    "http://127.0.0.1.example.com/",
    "http://localhost.example.com/",
    "http://1.27.0.0/",
    "http://[::2]/",
    "http://[::ffff:10.0.0.1]/",
  ])("is refused at %s, because nobody said that it may be loaded", (url) => {
    expect(() => checkTarget(url, null)).toThrow(expect.objectContaining({ kind: "refused" }));
  });

  it("may be elsewhere when exactly its host was confirmed", () => {
    expect(checkTarget("https://gateway.example.com/v1/messages", "gateway.example.com").hostname).toBe(
      "gateway.example.com",
    );
    expect(checkTarget("https://gateway.example.com:8443/", "gateway.example.com:8443").port).toBe("8443");
    expect(() => checkTarget("https://gateway.example.com/", "example.com")).toThrow(/confirmed target is example.com/);
  });

  it("is named in the way to go on, so that the user has to read it", () => {
    expect(() => checkTarget("https://gateway.example.com/", null)).toThrow(
      expect.objectContaining({ fix: expect.stringContaining("--confirm-target gateway.example.com") }),
    );
  });

  it.each([
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080/v1/messages"],
    ["http://127.0.0.1:8080/", "http://127.0.0.1:8080/v1/messages"],
    ["http://h/base/", "http://h/base/v1/messages"],
    ["http://h/v1", "http://h/v1/messages"],
    ["http://h/v1/messages?beta=true", "http://h/v1/messages?beta=true"],
  ])("given as %s is the endpoint %s", (base, endpoint) => {
    expect(messagesUrl(base)).toBe(endpoint);
  });

  it("is refused when it is no address or carries a password, without repeating the password", () => {
    expect(() => messagesUrl("127.0.0.1:8080")).toThrow(/--url/);
    expect(() => messagesUrl("ftp://127.0.0.1")).toThrow(/http\(s\)/);
    expect(() => messagesUrl("http://user:hunter2@127.0.0.1")).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("hunter2") }),
    );
  });
});
