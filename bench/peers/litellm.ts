import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { MODEL } from "../translation.ts";
import type { Peer } from "./peer.ts";
import { startPinned } from "./pinned-process.ts";

const run = promisify(execFile);
const environment = join(import.meta.dirname, "../out/litellm");
const MASTER_KEY = "sk-bench-0000000000000000";

const configuration = (upstreamPort: number): string => `
model_list:
  - model_name: ${MODEL}
    litellm_params:
      model: anthropic/${MODEL}
      api_key: sk-ant-bench-0000000000000000
      api_base: http://127.0.0.1:${upstreamPort}
litellm_settings:
  telemetry: false
general_settings:
  master_key: ${MASTER_KEY}
`;

export const litellm: Peer = {
  name: "litellm",
  description:
    "the LiteLLM proxy with one worker and a master key, without a database: its keys, budgets and spend log are off",
  answers: "rewritten",
  mayFallBehind: true,
  available: async () => {
    if (existsSync(join(environment, "bin/litellm"))) return null;
    return "optional and not installed: python3 -m venv bench/out/litellm && bench/out/litellm/bin/pip install 'litellm[proxy]==1.100.5'";
  },
  version: async () => {
    const code =
      "import importlib.metadata as m, platform; print(m.version('litellm'), 'on Python', platform.python_version())";
    return (await run(join(environment, "bin/python"), ["-c", code])).stdout.trim();
  },
  start: async ({ port, upstreamPort, cpus, directory, logFile }) => {
    const file = join(directory, "litellm.yaml");
    writeFileSync(file, configuration(upstreamPort));
    const running = await startPinned({
      cpus: cpus.gateway,
      command: join(environment, "bin/litellm"),
      args: ["--config", file, "--host", "127.0.0.1", "--port", String(port), "--num_workers", "1"],
      env: { LITELLM_LOCAL_MODEL_COST_MAP: "True", LITELLM_LOG: "ERROR", LITELLM_MODE: "PRODUCTION" },
      logFile,
      directory,
      readyUrl: `http://127.0.0.1:${port}/health/liveliness`,
      readyWithinMs: 120_000,
    });
    return { ...running, headers: { authorization: `Bearer ${MASTER_KEY}` } };
  },
};
