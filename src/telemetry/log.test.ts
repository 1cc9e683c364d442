import { describe, expect, it } from "vitest";

import { createLog, type LogSettings } from "./log.ts";

function record(settings: Partial<LogSettings> = {}): { text: () => string } & ReturnType<typeof createLog> {
  let text = "";
  const log = createLog({ level: "info", format: "json", ...settings }, (more) => (text += more));
  return { ...log, text: () => text };
}

const FORMATS = ["json", "pretty"] as const;
const SECRETS: readonly [string, string][] = [
  ["a Weir key", "wr-prod-3nB_zV0-qYt7cXkW1mJrE5uAo9sLgHdPfTyQ2iN8xMv"],
  ["a CI key", "wr-ci--Zr4tK8_wYb2nQ6mX0cVj5hG9fD3sA7lPoIuTyReWq1z"],
  ["an Anthropic key", "sk-ant-api03-AbCdEfGh_123-456"],
];

describe.each(FORMATS)("redaction in %s", (format) => {
  it.each(SECRETS)("hides %s wherever it stands", (_, secret) => {
    const { logger, text } = record({ format });
    logger.info({ note: `the key ${secret} was used`, deep: { er: { [secret]: [secret] } } }, `message ${secret}`);
    logger.error({ err: new Error(`refused ${secret}`, { cause: new Error(secret) }) }, "failed");

    expect(text()).not.toContain(secret);
    expect(text()).not.toContain(secret.slice(-20));
    expect(text()).toContain("[redacted]");
  });

  it.each([
    "Bearer abcdef123456",
    "bearer abcdef123456",
    "BEARER  abcdef123456",
    "Basic dXNlcjpwYXNz",
    "basic dXNlcjpwYXNz",
  ])("hides the credential in %j", (header) => {
    const { logger, text } = record({ format });
    logger.info({ sent: header }, header);

    expect(text()).not.toMatch(/abcdef123456|dXNlcjpwYXNz/);
  });

  it("hides the password of a URL and leaves the rest of it readable", () => {
    const { logger, text } = record({ format });
    logger.warn({ url: "postgres://weir:hunter2!$@db.example.com:5432/weir" }, "cannot connect");

    expect(text()).not.toContain("hunter2");
    expect(text()).toContain("postgres://weir:[redacted]@db.example.com:5432/weir");
  });

  it.each(["authorization", "x-api-key", "api_key", "oauth_token", "password", "secret", "key_pepper"])(
    "shows no %s, on its own, in objects at any depth or on an error, in any case",
    (field) => {
      const { logger, text } = record({ format });
      const upper = { [field.toUpperCase()]: "plain-looking" };
      logger.info({ [field]: "plain-looking", headers: { [field]: "plain-looking", a: [{ b: [upper] }] }, n: 7 }, "x");
      const cause = Object.assign(new Error("no"), { sent: { headers: { [field]: ["plain-looking"] } } });
      logger.error(
        { err: Object.assign(new Error("failed"), { cause, deep: { er: { [field]: "plain-looking" } } }) },
        "y",
      );

      expect(text()).not.toContain("plain-looking");
      expect(text()).toMatch(/"?n"?[:=]7/);
      expect(text()).toContain("failed");
    },
  );

  it("hides nothing that is no secret", () => {
    const { logger, text } = record({ format });
    logger.info({ hint: "wr-prod-3f9a", model: "claude-opus-5", url: "http://127.0.0.1:8080/v1" }, "a bearer of news");

    expect(text()).toContain("wr-prod-3f9a");
    expect(text()).toContain("http://127.0.0.1:8080/v1");
    expect(text()).not.toContain("[redacted]");
  });
});

describe("createLog", () => {
  it("writes JSON lines, one a call, with the control characters escaped", () => {
    const { logger, text } = record();
    logger.info({ model: "a\nb\u001b[31m" }, "one");
    logger.warn({}, "two");
    const lines = text().trimEnd().split("\n");

    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(["one", "two"]);
    expect(JSON.parse(lines[0]!).model).toBe("a\nb\u001b[31m");
    expect(text()).not.toContain("\u001b");
  });

  it("writes nothing below its level", () => {
    const { logger, text } = record({ level: "warn" });
    logger.debug({}, "no");
    logger.info({}, "no");
    logger.warn({}, "yes");

    expect(JSON.parse(text()).msg).toBe("yes");
  });

  it("writes nothing at all when silent", () => {
    const { logger, text } = record({ level: "silent" });
    logger.error({}, "no");

    expect(text()).toBe("");
  });
});

describe("the pretty format", () => {
  it("reads as time, level, message and fields, without those that are null", () => {
    const { accessSink, text } = record({ format: "pretty" });
    accessSink('{"level":40,"time":1795176000000,"msg":"slow","ms":12,"target":null,"model":"claude-opus-5"}\n');

    expect(text()).toBe("12:00:00 warn  slow ms=12 model=claude-opus-5\n");
  });

  it("shows an error by its message", () => {
    const { logger, text } = record({ format: "pretty" });
    logger.error({ err: new Error("disk is full") }, "cannot write");

    expect(text()).toMatch(/^\d\d:\d\d:\d\d error cannot write err="disk is full"\n$/);
  });

  it("passes on what is no JSON line as it is", () => {
    const { accessSink, text } = record({ format: "pretty" });
    accessSink("plain text\n{broken\n");

    expect(text()).toBe("plain text\n{broken\n");
  });

  it("lets no value break out of its line or reach the terminal's controls", () => {
    const { logger, text } = record({ format: "pretty" });
    logger.info({ model: "x\n12:00:00 error forged line\u001b[2J\u009b31m\u007f" }, "message\r\nforged too");

    expect(text().match(/\n/g)).toHaveLength(1);
    expect(text().slice(0, -1)).not.toMatch(/\p{Cc}/u);
    expect(text()).toContain(String.raw`model=x\n12:00:00 error forged line\u001b[2J`);
  });
});
