/**
 * The command line as a process of its own, for tests of what only a process has: signals, streams, exit codes. Takes the
 * command line as arguments, and the environment as it is.
 */
import { CliFixture } from "./cli-fixture.ts";
import { processTerminal } from "../terminal/process-terminal.ts";
import { runCli } from "../run.ts";
import { FakeTerminal } from "./fake-terminal.ts";

await using weir = await CliFixture.create();
const context = {
  ...weir.context(new FakeTerminal()),
  env: process.env,
  cwd: process.cwd(),
  terminal: processTerminal(process.env),
};
process.exitCode = await runCli(process.argv.slice(2), context);
