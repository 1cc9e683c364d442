import { accessSync, constants } from "node:fs";
import path from "node:path";

/** Something of the machine that a test needs, such as a server's program. */
export interface Requirement {
  /** For `describe.skipIf(…)`. */
  readonly missing: boolean;
  /** The test's title; when the requirement is missing, with what is missing and the command that installs it. */
  title(title: string): string;
}

export interface RequirementOptions {
  /** The command that installs it, as root on Debian. */
  readonly command: string;
  /** Whether it is there; by default, whether a program of that name is on the PATH or in an sbin directory. */
  readonly found?: boolean;
}

/**
 * A test that needs a program which not every machine has says so with this, and is skipped where it is missing:
 *
 *     const promtool = requires("promtool", { command: "apt-get install -y prometheus" });
 *     describe.skipIf(promtool.missing)(promtool.title("the metrics page"), () => { … });
 *
 * The test runner lists what was skipped with the command, and fails on it in CI, where `.ci/run` installs everything.
 */
export function requires(name: string, { command, found = isOnPath(name) }: RequirementOptions): Requirement {
  return { missing: !found, title: (title) => (found ? title : `${title} (needs ${name}: ${command})`) };
}

/** Servers are often in an sbin directory, which ordinary users do not have on their PATH. */
const SBIN = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

function isOnPath(program: string): boolean {
  const directories = [...(process.env["PATH"] ?? "").split(path.delimiter), ...SBIN];
  return directories.some((directory) => directory !== "" && isExecutable(path.join(directory, program)));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
