import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

import { describe, expect, it } from "vitest";

const CLI_PROCESS = path.join(import.meta.dirname, "../testing/cli-process.ts");

describe("the command line as a process", () => {
  it("writes the result to stdout and ends with the exit code", async () => {
    const child = spawn(process.execPath, [CLI_PROCESS, "keys", "nonsense", "--json"]);
    let out = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    const [exitCode] = await once(child, "close");
    expect({ exitCode, code: (JSON.parse(out) as { error: { code: string } }).error.code }).toEqual({
      exitCode: 2,
      code: "usage",
    });
  });

  it("ends quietly when the reader has seen enough", async () => {
    const child = spawn(process.execPath, [CLI_PROCESS, "config", "schema"]);
    let err = "";
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    child.stdout.destroy();
    const [exitCode] = await once(child, "close");
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
  });
});
