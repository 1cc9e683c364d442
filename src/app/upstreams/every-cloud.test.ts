/** Every kind of upstream, made of its configuration, against a stand-in that verifies what the real service would. */
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";

import { CLOUDS, weirConfig, type CloudKind, type RunningCloud } from "../../../test/harness/clouds/clouds.ts";
import { loadText } from "../../config/testing/config-directory.ts";
import { systemClock } from "../../core/clock.ts";
import { silentLogger } from "../../core/logger.ts";
import { systemScheduler } from "../../upstream/credentials/scheduler.ts";
import { sendProbe } from "../../upstream/probe/send-probe.ts";
import { UpstreamSet } from "../upstream-set.ts";

afterEach(() => vi.unstubAllEnvs());

/** The kinds of which no call is known that costs nothing. */
const UNPROBED = ["custom-sagemaker"];

async function startCloud(kind: CloudKind): Promise<RunningCloud> {
  const running = await kind.start();
  onTestFinished(() => running.stop());
  return running;
}

async function upstreamsOf(kind: CloudKind, running: RunningCloud): Promise<UpstreamSet> {
  const { config, env } = weirConfig([kind.configYaml(running)]);
  // The clouds' own libraries look for their endpoints in the environment of the process.
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const loaded = await loadText(JSON.stringify({ ...config, network: { allow_private_upstreams: ["127.0.0.0/8"] } }), {
    env,
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  const set = new UpstreamSet({
    logger: silentLogger,
    clock: systemClock,
    scheduler: systemScheduler,
    random: Math.random,
  });
  onTestFinished(() => set.stop());
  (await set.prepare(loaded.config)).use();
  return set;
}

describe("an upstream made of its configuration", () => {
  it.each(CLOUDS.map((kind) => [kind.kind, kind] as const))(
    "%s passes its probe, signed as the service wants it",
    async (name, kind) => {
      const running = await startCloud(kind);
      const set = await upstreamsOf(kind, running);

      expect(set.upstreams[0]?.credential?.status().state).toBe("ready");
      expect(set.probed.map(({ upstream }) => upstream.name)).toEqual(UNPROBED.includes(name) ? [] : [name]);
      for (const { upstream, probe } of set.probed) {
        const { status } = await sendProbe(upstream, probe, { signed: true, timeoutMs: 10_000 });
        expect({ status, problems: running.server.problems }).toEqual({ status: 200, problems: [] });
        // Counting and listing cost nothing.
        expect(running.server.charges).toEqual([]);
      }
    },
  );
});
