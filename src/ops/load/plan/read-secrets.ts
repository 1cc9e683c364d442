import { LoadError } from "../load-error.ts";
import type { LoadSecrets } from "./load-plan.ts";

/** Where the keys come from, all texts as read. */
export interface SecretSources {
  /** The text of `--key-file`: one key a line; blank lines and those that begin with # are skipped. */
  readonly keyFile: string | null;
  /** The key that this user has stored for Weir, and the file it is in; the last resort. Null where it is not to be sent. */
  readonly stored: { readonly key: string; readonly file: string } | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `name: value` each. */
  readonly headers: readonly string[];
  readonly auth: string;
  readonly caPem: string | null;
}

/** Weir's own first: where a Weir stands before the provider, ANTHROPIC_AUTH_TOKEN is the key for it and ANTHROPIC_API_KEY is not. */
const KEY_VARIABLES = ["WEIR_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"] as const;

/** The keys and headers of a run, and where the keys were found, which may be shown. Throws LoadError without showing a value. */
export function readSecrets(sources: SecretSources): { readonly secrets: LoadSecrets; readonly keySource: string } {
  const { keys, keySource } = findKeys(sources);
  // A header value with a line end would add a header of its own, or make the request fail with the value in the message.
  if (keys.some((key) => /[^\x21-\x7E]/.test(key))) {
    throw new LoadError(
      "usage",
      `a key from ${keySource} contains a blank or a character that no key has`,
      "Check that the file has one key a line.",
    );
  }
  if (sources.auth !== "x-api-key" && sources.auth !== "bearer") {
    throw new LoadError("usage", `--auth: "${sources.auth}" is not known`, "Choose x-api-key or bearer.");
  }
  const keyHeader = sources.auth === "bearer" ? "authorization" : "x-api-key";
  return { secrets: { keys, keyHeader, headers: readHeaders(sources.headers), caPem: sources.caPem }, keySource };
}

function findKeys({ keyFile, env, stored }: SecretSources): { keys: readonly string[]; keySource: string } {
  if (keyFile !== null) {
    const keys = keyFile
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("#"));
    if (keys.length === 0) throw new LoadError("usage", "--key-file: the file has no key", "Write one key a line.");
    return { keys, keySource: "--key-file" };
  }
  for (const name of KEY_VARIABLES) {
    const key = env[name]?.trim();
    if (key !== undefined && key !== "") return { keys: [key], keySource: name };
  }
  if (stored !== null) return { keys: [stored.key], keySource: stored.file };
  return { keys: [], keySource: "none" };
}

function readHeaders(lines: readonly string[]): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7E]*)$/.exec(line);
    const name = match?.[1]?.toLowerCase();
    if (name === undefined || match?.[2] === undefined) {
      throw new LoadError(
        "usage",
        `--header: "${line.split(":")[0]?.slice(0, 60)}" is not written as a header`,
        'Write --header "name: value".',
      );
    }
    if (["host", "content-length", "transfer-encoding", "connection"].includes(name)) {
      throw new LoadError("usage", `--header: ${name} is set by the connection`, "Leave it away.");
    }
    headers[name] = match[2].trim();
  }
  return headers;
}
