import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import path from "node:path";

type Env = Readonly<Record<string, string | undefined>>;

/** The absolute path of Claude Code: CLAUDE_BIN where it is set, else `claude` on the PATH. Null when there is none. */
export async function findClaude(env: Env, cwd: string): Promise<string | null> {
  const configured = env["CLAUDE_BIN"] ?? "";
  return await findProgram(configured === "" ? "claude" : configured, env, cwd);
}

/** The absolute path of a program as a shell would find it; null when there is none that may be run. */
async function findProgram(name: string, env: Env, cwd: string): Promise<string | null> {
  const directories = name.includes(path.sep) ? [""] : (env["PATH"] ?? "").split(path.delimiter);
  for (const directory of directories) {
    // An empty entry of PATH means the working directory.
    const candidate = path.resolve(cwd, directory, name);
    if (await isProgram(candidate)) return candidate;
  }
  return null;
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    // Not there, or not for us to run: the search goes on.
    return false;
  }
}
