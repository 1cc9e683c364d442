import type { Command } from "commander";

import { isLoopbackHost } from "../../config/ip-address.ts";
import { parseUrl } from "../../config/fields/network.ts";
import { claudeEnvironment } from "../claude/claude-environment.ts";
import { findClaude } from "../claude/find-program.ts";
import { runProgram } from "../claude/run-program.ts";
import { weirAddress } from "../claude/weir-address.ts";
import { weirKey } from "../claude/weir-key.ts";
import type { CliContext, CommonOptions } from "../cli-context.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import { probeKey, probeWeir } from "../probe-weir.ts";

const INSTALL = "npm install -g @anthropic-ai/claude-code";

const EXAMPLES = [
  { line: "weir claude" },
  { line: 'weir claude -p "explain this repository" --output-format json' },
  { line: "weir claude --url https://weir.example.com --continue" },
  { line: "weir claude -- --help", note: "Claude Code's own help" },
];

interface Options extends CommonOptions {
  readonly url?: string;
  readonly keyFile?: string;
  readonly check: boolean;
  readonly dryRun?: boolean;
  readonly help?: boolean;
}

/** `weir claude`. */
export function claudeCommand(host: Host): Command {
  const command = defineCommand({
    name: "claude",
    summary: "run Claude Code through Weir",
    description:
      "Runs your Claude Code (claude on the PATH, or CLAUDE_BIN) with Weir as its API. From the first argument that is not an option listed here, everything is Claude Code's, as it is. Exit code and signals are Claude Code's too.",
    examples: EXAMPLES,
  });
  addInstallationOptions(command)
    .argument("[args...]", "arguments for Claude Code")
    .option("--url <url>", "where Weir is (default: WEIR_URL, else what the configuration says)")
    .option("--key-file <file>", "file with your key (default: WEIR_KEY, else ~/.config/weir/key)")
    .option("--no-check", "do not ask first whether Weir is there and takes the key")
    .option("--dry-run", "say what would be run, and do not")
    // Commander's own help option would also be found among Claude Code's arguments.
    .helpOption(false)
    .option("-h, --help", "display help for command")
    .passThroughOptions()
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (args: readonly string[], options: Options) => {
      if (options.help === true) {
        command.outputHelp();
        host.finish(EXIT.ok);
      } else host.finish(await runClaude(host, args, options));
    });
  return command;
}

async function runClaude(host: Host, args: readonly string[], options: Options): Promise<number> {
  const { context } = host;
  const output = outputFor(host, options);
  const file = await findClaude(context.env, context.cwd);
  if (file === null) throw notInstalled(context);
  const { secret, source } = await weirKey(context, options.keyFile);
  const baseUrl = await weirAddress(context, options);
  if (isExposed(baseUrl)) output.warn(`your key goes to ${baseUrl} unencrypted; use https:// beyond this machine`);
  if (options.check) await checkWeir(baseUrl, { secret, source });
  const { env, removed } = claudeEnvironment(context.env, { baseUrl, key: secret });
  if (removed.length > 0) {
    output.note(
      `weir: ${removed.join(", ")} not passed on: Claude Code would go past Weir with ${removed.length === 1 ? "it" : "them"}.`,
    );
  }
  if (options.dryRun === true) {
    const shown = { ANTHROPIC_BASE_URL: baseUrl, ANTHROPIC_AUTH_TOKEN: "[redacted]" };
    output.result({ program: file, args, env: shown, key_source: source, removed_variables: removed }, () => [
      ...Object.entries(shown).map(([name, value]) => `${name}=${value}`),
      [file, ...args].map(shellWord).join(" "),
    ]);
    return EXIT.ok;
  }
  return await runProgram({ file, args, env, cwd: context.cwd });
}

/** Whether what is sent there can be read on the way. */
function isExposed(baseUrl: string): boolean {
  const url = parseUrl(baseUrl);
  return url !== null && url.protocol === "http:" && !isLoopbackHost(url.hostname);
}

async function checkWeir(baseUrl: string, { secret, source }: { secret: string; source: string }): Promise<void> {
  const probe = await probeWeir(baseUrl);
  switch (probe.state) {
    case "ready":
      break;
    case "not_ready": {
      const failures = probe.failures.map(({ check, reason }) => `\n  ${check}: ${reason}`).join("");
      throw new CliError("unavailable", `Weir at ${baseUrl} takes no requests now${failures}`, {
        remedy: "Wait until it has started, or see its log; `weir doctor` looks at what it stands on.",
        details: { failures: probe.failures },
      });
    }
    case "not_weir":
      throw new CliError(
        "unavailable",
        `what answers at ${baseUrl} is not Weir (${baseUrl}/readyz gave ${probe.status})`,
        {
          remedy:
            "Check the address (--url, WEIR_URL, listen in weir.yaml). With something in between that hides /readyz, add --no-check.",
        },
      );
    case "unreachable":
      throw new CliError("unavailable", `Weir does not answer at ${baseUrl}: ${probe.reason}`, {
        remedy: probe.isRefused
          ? "Start it with `weir serve` (in a checkout: npm start), or say where it runs with --url or WEIR_URL."
          : "Check the address (--url or WEIR_URL). For a certificate of your own authority, set NODE_EXTRA_CA_CERTS to its file.",
      });
  }
  const { refusal } = await probeKey(baseUrl, secret);
  if (refusal === null) return;
  throw new CliError("unavailable", `Weir at ${baseUrl} refuses the key from ${source}: ${refusal}`, {
    remedy: "Ask your administrator for a new key (weir keys create, weir keys rotate).",
  });
}

function notInstalled({ env }: CliContext): CliError {
  const configured = env["CLAUDE_BIN"] ?? "";
  if (configured !== "") {
    return new CliError("unavailable", `CLAUDE_BIN is ${configured}, which is no program that can be run`, {
      remedy: "Set CLAUDE_BIN to the claude program, or unset it to use the one on the PATH.",
    });
  }
  return new CliError("unavailable", "Claude Code is not installed: there is no claude on the PATH", {
    remedy: `Install it (${INSTALL}), or set CLAUDE_BIN to where it is.`,
  });
}

/** An argument as a shell takes it. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
