import { systemClock } from "../core/clock.ts";
import { serve } from "./serve.ts";

process.exitCode = await serve(
  { cwd: process.cwd(), env: process.env },
  {
    clock: systemClock,
    env: process.env,
    version: "0.1.0",
    json: process.argv.includes("--json"),
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
  },
);
