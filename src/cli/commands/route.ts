import { type Command, InvalidArgumentError } from "commander";

import { defineCommand, type Host, addInstallationOptions, outputFor } from "../define-command.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { configInvalid } from "../error-report.ts";
import { askRunningWeir } from "../route/ask-running-weir.ts";
import { answerFromConfiguration } from "../route/answer-from-configuration.ts";
import type { ExplainOptions, ExplainedRoute } from "../route/explain-options.ts";
import { printable } from "../terminal/text-width.ts";

const EXAMPLES = [
  { line: "weir route explain claude-sonnet-5" },
  { line: "weir route explain claude-opus-5 --region eu-central-1 --tokens 150000" },
  { line: "weir route explain claude-opus-5 --key key_01J8 --session 5f0c… --json" },
];

/** `weir route`. */
export function routeCommand(host: Host): Command {
  const explain = defineCommand({
    name: "explain",
    summary: "say where requests for a model go, and why",
    description:
      "Says where a request for a model goes: the upstreams in the order in which they are tried, why each stands where it stands, and the price. Asks the Weir that runs on this configuration's data directory, which knows health, load and sessions; without one, answers from the configuration alone. Asks no upstream and changes nothing.",
    examples: EXAMPLES,
  })
    .argument("<model>", "model name in any spelling that clients use")
    .option("--key <id>", "id of the key that asks, to which its sessions belong")
    .option("--session <id>", "session of the client, which stays where its prompt cache is warm; needs --key")
    .option("--region <name>", "region or zone that the client is in, as in x-weir-client-region")
    .option("--tokens <count>", "tokens of the prompt, for what depends on cost", wholeNumber)
    .option("--output-tokens <count>", "tokens of the answer", wholeNumber)
    .option("--offline", "ask no running Weir: answer from the configuration alone");
  addInstallationOptions(explain).action(async (model: string, options: ExplainOptions) =>
    host.finish(await explainModel(host, model, options)),
  );
  return defineCommand({
    name: "route",
    summary: "see where requests for a model go",
    examples: [{ line: "weir route explain claude-sonnet-5" }],
  }).addCommand(explain);
}

async function explainModel(host: Host, model: string, options: ExplainOptions): Promise<number> {
  const { context } = host;
  if (options.session !== undefined && options.key === undefined) throw sessionWithoutKey();
  const output = outputFor(host, options);
  const loaded = await context.loadConfig(options);
  if (!loaded.ok) throw configInvalid(loaded.diagnostics);
  const running = options.offline === true ? null : await askRunningWeir(context, loaded.config, { model, options });
  const explained: ExplainedRoute =
    running ?? (await answerFromConfiguration(context, loaded.config, { model, options }));
  const { source, document, text } = explained;
  output.result({ source: source.kind, ...document }, () => [
    ...text.map(printable),
    "",
    output.style.dim(
      source.kind === "running"
        ? `As the Weir sees it whose admin port is ${source.url}.`
        : "By the configuration alone: of health, load and sessions nothing is known.",
    ),
  ]);
  return EXIT.ok;
}

function sessionWithoutKey(): CliError {
  return new CliError("usage", "--session needs --key: a session belongs to the key that uses it", {
    remedy: "Add --key with the key's id, which `weir keys list` shows.",
  });
}

function wholeNumber(text: string): number {
  if (/^\d{1,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number of tokens.");
}
