import pino from "pino";

import type { Logger } from "../core/logger.ts";
import type { LineSink } from "./access-log.ts";

export interface LogSettings {
  readonly level: "debug" | "info" | "warn" | "error" | "trace" | "silent";
  readonly format: "json" | "pretty";
}

/** What looks like a credential, wherever it stands: Weir's keys, the providers' keys, bearer tokens (in any case, as in HTTP), passwords in URLs. */
const CREDENTIALS =
  /\bwr-(?:prod|test|dev|ci)-[\w-]{8,}|\bsk-ant-[\w-]{8,}|\b(?:Bearer|Basic) +[\w.~+/=-]{8,}|(?<=:\/\/[^\s/:@]{0,64}:)[^\s/@]+(?=@)/gi;

/** Fields that never show their value, at any depth and in any case. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "x-api-key",
  "api_key",
  "oauth_token",
  "password",
  "secret",
  "key_pepper",
]);
/** Whether a line may have one of them: most have none, and are not looked at further. */
const NAMES_SECRET = new RegExp(`"(?:${[...SECRET_FIELDS].join("|")})":`, "i");

/** A log and the sink for the lines of the access log. */
export interface Log {
  readonly logger: Logger;
  /** For lines that consist of ids and names which Weir chose itself: they are not searched for credentials. */
  readonly accessSink: LineSink;
}

/** The log: pino, redacted at the sink, by field and by the look of the text. */
export function createLog(settings: LogSettings, write: (text: string) => void): Log {
  const accessSink: LineSink = (text) => {
    write(settings.format === "pretty" ? text.split("\n").map(prettyLine).join("\n") : text);
  };
  const sink: LineSink = (text) => accessSink(withoutSecretFields(text).replace(CREDENTIALS, "[redacted]"));
  const logger = pino(
    {
      level: settings.level,
      base: null,
      serializers: { err: pino.stdSerializers.err },
    },
    { write: sink },
  );
  return { logger, accessSink };
}

/** A JSON line with the values of its secret fields taken out, those of errors and their causes too. */
function withoutSecretFields(line: string): string {
  if (!NAMES_SECRET.test(line)) return line;
  try {
    const fields: unknown = JSON.parse(line);
    const hide = (key: string, value: unknown): unknown =>
      value !== null && SECRET_FIELDS.has(key.toLowerCase()) ? "[redacted]" : value;
    return `${JSON.stringify(fields, hide)}\n`;
  } catch {
    // What cannot be read cannot be searched either: better no line than a secret.
    return `${JSON.stringify({ level: 40, time: null, msg: "a log line that names a secret could not be read" })}\n`;
  }
}

const LEVELS: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "fatal",
};

/** A JSON line as a person at a terminal reads it: time, level, message, fields. Anything else as it is. */
function prettyLine(line: string): string {
  if (!line.startsWith("{")) return line;
  try {
    const fields = JSON.parse(line) as Record<string, unknown>; // a line that begins with a brace and parses is an object
    const { level, time, msg, ...rest } = fields;
    const clock = new Date(Number(time)).toISOString().slice(11, 19);
    const extra = Object.entries(rest)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name}=${plain(value)}`)
      .join(" ");
    return visible(`${clock} ${(LEVELS[Number(level)] ?? "info").padEnd(5)} ${plain(msg)} ${extra}`.trimEnd());
  } catch {
    return line;
  }
}

/** Control characters as escapes: a value must neither forge a line nor reach the terminal's controls. */
function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) =>
    character === "\n" ? "\\n" : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function plain(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null && "message" in value) return JSON.stringify(value.message);
  return JSON.stringify(value) ?? "";
}
