import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { findClaude } from "../../claude/find-program.ts";
import type { Check } from "../examination.ts";
import { ok, warn } from "../finding.ts";

const TIMEOUT_MS = 10_000;
const run = promisify(execFile);

export const claudeCodeCheck: Check = {
  id: "claude_code",
  title: "Claude Code",
  async run({ context }) {
    const { env, cwd } = context;
    const file = await findClaude(env, cwd);
    if (file === null) {
      return warn(
        "not installed here; only developers' machines need it",
        "npm install -g @anthropic-ai/claude-code, or set CLAUDE_BIN to where it is.",
      );
    }
    try {
      const { stdout } = await run(file, ["--version"], { env, cwd, timeout: TIMEOUT_MS });
      return ok(`${stdout.trim().split("\n")[0] ?? ""} (${file})`);
    } catch (error) {
      const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
      return warn(`${file} does not run: ${reason}`, "Install it anew: npm install -g @anthropic-ai/claude-code.");
    }
  },
};
