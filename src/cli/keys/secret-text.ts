import type { Output } from "../output.ts";
import { writeKeyFile } from "./key-file.ts";

/** What stands for the address when only the running server knows it. */
const UNKNOWN_URL = "http://127.0.0.1:<port of weir serve>";

/** The variables that put Claude Code (and the SDKs) behind Weir. */
export function secretEnvironment(secret: string, baseUrl: string | null): Record<string, string | null> {
  return { ANTHROPIC_BASE_URL: baseUrl, ANTHROPIC_AUTH_TOKEN: secret };
}

/** The same for a person to copy into a shell. */
export function exportLines(secret: string, baseUrl: string | null): string[] {
  return [
    "The key is shown this once. These two lines put Claude Code behind Weir:",
    "",
    `  export ANTHROPIC_BASE_URL=${baseUrl ?? UNKNOWN_URL}`,
    `  export ANTHROPIC_AUTH_TOKEN=${secret}`,
  ];
}

/** Stores a secret in `file`, if there is one, and says so. Comes after the result: the secret has been shown by then. */
export async function saveSecret(secret: string, file: string | null, output: Output): Promise<void> {
  if (file === null) return;
  await writeKeyFile(file, secret);
  if (!output.isJson) output.note(`Stored in ${file}: \`weir claude\` uses it.`);
}
