import { readFileSync } from "node:fs";

import { z } from "zod";

import { runCli } from "../cli/run.ts";
import { commandContext } from "./command-context.ts";

/** The package's own version, from where it stands in a checkout and in the published package alike. */
const manifest = z.object({ version: z.string() });
const { version } = manifest.parse(JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")));

// Not process.exit: what is still being written to a pipe must get there.
process.exitCode = await runCli(process.argv.slice(2), commandContext(version));
