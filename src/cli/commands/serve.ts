import type { Command } from "commander";

import type { ServeOptions } from "../cli-context.ts";
import { addInstallationOptions, defineCommand, type Host } from "../define-command.ts";
import { wholeNumber } from "../options/option-parser.ts";

const EXAMPLES = [
  { line: "weir serve", note: "127.0.0.1:8080, PostgreSQL and data in .weir" },
  { line: "ANTHROPIC_API_KEY=sk-ant-… weir serve --port 9000" },
  { line: "weir serve --config /etc/weir/weir.yaml --profile prod" },
];

/** `weir serve`. */
export function serveCommand(host: Host): Command {
  const command = defineCommand({
    name: "serve",
    summary: "run the gateway",
    description:
      "Runs Weir until it is stopped (Ctrl-C, SIGTERM: open exchanges end first). Without a postgres_url it starts a PostgreSQL of its own in the data directory; without ANTHROPIC_API_KEY and upstreams, the built-in sandbox answers. On first start it creates an organisation, a user and a key, and shows the key once. SIGHUP reloads the configuration.",
    examples: EXAMPLES,
  });
  command
    .option("-p, --port <port>", "port to listen on; 0 lets the system choose", wholeNumber(0, 65_535))
    .option("--host <address>", "address to listen on");
  return addInstallationOptions(command).action(async (options: ServeOptions) =>
    host.finish(await host.context.serve(options)),
  );
}
