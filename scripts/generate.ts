/**
 * Writes everything in the repository that is made from the code: `npm run generate`. With `--check` it writes nothing and
 * exits 1 if something is stale.
 */
import { architecturePage } from "./generate-architecture.ts";
import { cliDoc } from "./generate-cli-docs.ts";
import { configDocs } from "./generate-config-docs.ts";
import { conformancePage } from "./generate-conformance.ts";
import { guidePages } from "./generate-guides.ts";
import { jsonScanModule } from "./generate-json-scan.ts";
import { generateMain } from "./generate/write-or-check.ts";

process.exitCode = await generateMain(
  async (root) => [
    ...configDocs(),
    cliDoc(),
    conformancePage(),
    await architecturePage(root),
    ...(await guidePages(root)),
    await jsonScanModule(root),
  ],
  process.argv.slice(2),
);
