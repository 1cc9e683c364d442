import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { EventEmitter, once } from "node:events";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ManualClock } from "../core/clock.ts";
import { silentLogger } from "../core/logger.ts";
import type { LoadOptions } from "./load.ts";
import { loadConfig } from "./load.ts";
import type { Config } from "./schema.ts";
import { ConfigDirectory } from "./testing/config-directory.ts";
import { type ConfigChange, ConfigWatcher } from "./watcher.ts";

const CLOCK_MS = 1_800_000_000_000;

interface Applied {
  readonly config: Config;
  readonly previous: Config;
  readonly change: ConfigChange;
}

/** A watcher under test, with everything that it did and said. */
class Probe extends EventEmitter {
  readonly applied: Applied[] = [];
  readonly logged: { level: string; message: string; fields: object }[] = [];
  watcher!: ConfigWatcher;
  failWith: Error | null = null;

  static async start(load: LoadOptions): Promise<Probe> {
    const initial = await loadConfig(load);
    if (!initial.ok) throw new Error(JSON.stringify(initial.diagnostics));
    const probe = new Probe();
    const log = (level: string) => (fields: object, message: string) => {
      probe.logged.push({ level, message, fields });
      probe.emit(level);
    };
    probe.watcher = new ConfigWatcher({
      load,
      initial,
      logger: { ...silentLogger, info: log("info"), warn: log("warn"), error: log("problem") },
      clock: new ManualClock(CLOCK_MS),
      settleMs: 10,
      pollMs: 60_000,
      onChange: (config, previous, change) => {
        if (probe.failWith !== null) throw probe.failWith;
        probe.applied.push({ config, previous, change });
        probe.emit("applied");
      },
    });
    await probe.watcher.start();
    return probe;
  }
}

let directory: ConfigDirectory;
let probe: Probe | undefined;

beforeEach(async () => {
  directory = await ConfigDirectory.create();
});
afterEach(async () => {
  await probe?.watcher.stop();
  probe = undefined;
  await directory.remove();
});

/** Starts a watcher on `weir.yaml` with this text. */
async function watch(text: string, options: Partial<LoadOptions> = {}): Promise<Probe> {
  await directory.write("weir.yaml", text);
  probe = await Probe.start({ cwd: directory.path, env: {}, ...options });
  return probe;
}

describe("a change of a file", () => {
  it("is put into effect as a whole", async () => {
    const { watcher, applied } = await watch("log: { level: info }\nadmission: { queue: { size: 5 } }\n");
    const before = watcher.current;
    const done = once(probe!, "applied");
    await directory.write("weir.yaml", "log: { level: warn }\nadmission: { queue: { size: 6 } }\n");
    await done;
    expect(applied).toMatchObject([{ change: { settings: ["admission.queue.size", "log.level"], needRestart: [] } }]);
    expect(applied[0]?.previous).toBe(before);
    expect(applied[0]?.config).toMatchObject({ log: { level: "warn" }, admission: { queue: { size: 6 } } });
    await watcher.reload();
    expect(Object.isFrozen(watcher.current.log)).toBe(true);
  });

  it("is noticed when an editor puts a new file in the place of the old one", async () => {
    await watch("log: { level: info }\n");
    const done = once(probe!, "applied");
    await rename(await directory.write("weir.yaml.new", "log: { level: warn }\n"), directory.file("weir.yaml"));
    await done;
    expect(probe!.applied[0]?.config.log.level).toBe("warn");
  });

  it("is noticed when Kubernetes swaps the link to a mounted volume, again and again", async () => {
    const volume = async (name: string, level: string) => {
      await mkdir(directory.file(`etc/${name}`), { recursive: true });
      await writeFile(directory.file(`etc/${name}/weir.yaml`), `log: { level: ${level} }\n`);
      await symlink(name, directory.file("etc/..data_tmp"));
      await rename(directory.file("etc/..data_tmp"), directory.file("etc/..data"));
    };
    await volume("..2026_1", "info");
    await symlink(path.join("..data", "weir.yaml"), directory.file("etc/weir.yaml"));
    probe = await Probe.start({ cwd: directory.path, env: {}, path: "etc/weir.yaml" });
    for (const [name, level] of [
      ["..2026_2", "warn"],
      ["..2026_3", "error"],
    ] as const) {
      const done = once(probe, "applied");
      await volume(name, level);
      await done;
      expect(probe.applied.at(-1)?.config.log.level).toBe(level);
    }
  });

  it("is noticed when a profile's own file appears", async () => {
    await watch("log: { level: info }\n");
    const done = once(probe!, "applied");
    await directory.write("weir.dev.yaml", "log: { level: error }\n");
    await done;
    expect(probe!.applied[0]?.config.log.level).toBe("error");
  });

  it("is noticed in a secret's file, and its value is not logged", async () => {
    const file = await directory.write("secrets/token", "token-of-the-first-day");
    await watch(`upstreams:\n  - provider: anthropic\n    auth: { oauth_token: "\${file:${file}}" }\n`);
    const done = once(probe!, "applied");
    await directory.write("secrets/token", "token-of-the-second-day");
    await done;
    expect(probe!.applied[0]?.config.upstreams[0]).toMatchObject({ auth: { oauth_token: "token-of-the-second-day" } });
    expect(probe!.applied[0]?.change.settings).toEqual(["upstreams"]);
    await probe!.watcher.reload();
    expect(JSON.stringify(probe!.logged)).not.toContain("token-of");
  });

  it("is noticed in a certificate authority's file, although no setting changes", async () => {
    const { selfSigned } = await import("./testing/self-signed.ts");
    const validity = { fromMs: CLOCK_MS - 1e9, toMs: CLOCK_MS + 1e11 };
    await directory.write("ca.pem", selfSigned(validity).cert);
    await watch("network: { tls: { ca: ca.pem } }\n");
    const done = once(probe!, "applied");
    await directory.write("ca.pem", selfSigned(validity).cert);
    await done;
    expect(probe!.applied[0]?.change.settings).toEqual([]);
  });

  it("is not reported when a neighbour changes", async () => {
    await watch("log: { level: info }\n");
    await directory.write("neighbour.yaml", "log: { level: warn }\n");
    const done = once(probe!, "applied");
    await directory.write("weir.yaml", "log: { level: error }\n");
    await done;
    expect(probe!.applied).toHaveLength(1);
  });
});

describe("a bad file", () => {
  it("leaves the running configuration, says why, and is forgotten when mended", async () => {
    const { watcher } = await watch("log: { level: info }\n");
    const running = watcher.current;
    const refused = once(probe!, "problem");
    await directory.write("weir.yaml", "log: { level: loud }\n");
    await refused;
    expect(probe!.applied).toEqual([]);
    expect(watcher.current).toBe(running);
    expect(watcher.lastError).toMatchObject({
      atMs: CLOCK_MS,
      diagnostics: [
        { code: "invalid_value", path: "log.level", file: directory.file("weir.yaml"), line: 1, column: 15 },
      ],
    });
    expect(probe!.logged.find(({ level }) => level === "problem")?.fields).toMatchObject({
      explanation: expect.stringContaining("weir.yaml:1:15"),
    });

    const applied = once(probe!, "applied");
    await directory.write("weir.yaml", "log: { level: warn }\n");
    await applied;
    await watcher.reload();
    expect(watcher.lastError).toBeNull();
    expect(watcher.current.log.level).toBe("warn");
  });

  it("is one that has vanished, too", async () => {
    const { watcher } = await watch("log: { level: error }\n");
    const refused = once(probe!, "problem");
    await rm(directory.file("weir.yaml"));
    await refused;
    expect(watcher.lastError?.diagnostics).toMatchObject([{ code: "file_not_found" }]);
    expect(watcher.current.log.level).toBe("error");
  });
});

describe("a reload by signal", () => {
  it("takes the file at once and tells how it went", async () => {
    const { watcher } = await watch("log: { level: info }\n");
    await directory.write("weir.yaml", "log: { level: warn }\n");
    expect(await watcher.reload()).toEqual({ ok: true, change: { settings: ["log.level"], needRestart: [] } });
    await directory.write("weir.yaml", "log: { level: loud }\n");
    expect(await watcher.reload()).toMatchObject({ ok: false, diagnostics: [{ path: "log.level" }] });
    expect(watcher.current.log.level).toBe("warn");
  });

  it("refuses a file that was emptied, as it is in the middle of a write, and takes one with only a remark", async () => {
    const { watcher } = await watch("log: { level: warn }\n");
    for (const text of ["", " \n\n"]) {
      await directory.write("weir.yaml", text);
      expect(await watcher.reload()).toMatchObject({ ok: false, diagnostics: [{ code: "file_emptied" }] });
      expect(watcher.current.log.level).toBe("warn");
    }
    await directory.write("weir.yaml", "# all defaults\n");
    expect(await watcher.reload()).toMatchObject({ ok: true });
    expect(watcher.current.log.level).toBe("info");
  });

  it("takes a change in a file that was empty from the beginning", async () => {
    const { watcher } = await watch("");
    expect(await watcher.reload()).toMatchObject({ ok: true });
    await directory.write("weir.yaml", "log: { level: warn }\n");
    expect(await watcher.reload()).toMatchObject({ ok: true });
    expect(watcher.current.log.level).toBe("warn");
  });

  it("keeps the old configuration when the new one cannot be put into effect", async () => {
    const { watcher } = await watch("log: { level: info }\n");
    await directory.write("weir.yaml", "log: { level: warn }\n");
    probe!.failWith = new Error("no such pool");
    expect(await watcher.reload()).toMatchObject({ ok: false, diagnostics: [{ code: "not_applied" }] });
    expect(watcher.current.log.level).toBe("info");
    expect(watcher.lastError?.diagnostics[0]?.message).toContain("no such pool");
    probe!.failWith = null;
    expect(await watcher.reload()).toMatchObject({ ok: true });
    expect(watcher.current.log.level).toBe("warn");
  });

  it("runs one after another, however many are asked for", async () => {
    const { watcher } = await watch("log: { level: info }\n");
    await directory.write("weir.yaml", "log: { level: warn }\n");
    const results = await Promise.all(Array.from({ length: 5 }, () => watcher.reload()));
    expect(results.every(({ ok }) => ok)).toBe(true);
    const changed = probe!.applied.filter(({ change }) => change.settings.length > 0);
    expect(changed).toHaveLength(1);
    for (const [i, { previous }] of probe!.applied.entries()) {
      if (i > 0) expect(previous).toBe(probe!.applied[i - 1]?.config);
    }
  });
});

describe("settings that need a restart", () => {
  it("are reported and keep their running value, while the others change", async () => {
    const { watcher } = await watch("listen: { port: 1001 }\nlog: { level: info }\n");
    await directory.write("weir.yaml", "listen: { port: 1002 }\nlog: { level: warn }\nstore: { max_connections: 9 }\n");
    const expected = { settings: ["log.level"], needRestart: ["listen.port", "store"] };
    expect(await watcher.reload()).toEqual({ ok: true, change: expected });
    expect(watcher.current).toMatchObject({
      listen: { port: 1001 },
      store: { max_connections: 5 },
      log: { level: "warn" },
    });
    expect(watcher.needRestart).toEqual(["listen.port", "store"]);
    expect(probe!.logged).toContainEqual({
      level: "warn",
      message: "these settings change only after a restart",
      fields: { settings: ["listen.port", "store"] },
    });

    await directory.write("weir.yaml", "listen: { port: 1001 }\nlog: { level: warn }\n");
    await watcher.reload();
    expect(watcher.needRestart).toEqual([]);
  });
});

describe("the life of the watcher", () => {
  it("takes what changed between loading and starting", async () => {
    await directory.write("weir.yaml", "log: { level: info }\n");
    const load = { cwd: directory.path, env: {} };
    const initial = await loadConfig(load);
    if (!initial.ok) throw new Error("expected a configuration");
    await directory.write("weir.yaml", "log: { level: warn }\n");
    const applied: string[] = [];
    const onChange = (config: Config) => void applied.push(config.log.level);
    const watcher = new ConfigWatcher({ load, initial, onChange, logger: silentLogger });
    await watcher.start();
    await watcher.stop();
    expect(applied).toEqual(["warn"]);
  });

  it("tells nothing more once it is stopped, and may be stopped twice", async () => {
    const { watcher } = await watch("log: { level: info }\n");
    await watcher.stop();
    await watcher.stop();
    await directory.write("weir.yaml", "log: { level: warn }\n");
    await watcher.reload();
    expect(probe!.applied).toEqual([]);
    expect(watcher.current.log.level).toBe("info");
  });

  it("works without any file, and takes one that appears", async () => {
    probe = await Probe.start({ cwd: directory.path, env: {} });
    const done = once(probe, "applied");
    await directory.write("weir.yaml", "log: { level: error }\n");
    await done;
    expect(probe.applied[0]?.config.log.level).toBe("error");
  });

  it("finds changes by looking where no directory can be watched", async () => {
    await directory.write("weir.yaml", "log: { level: info }\n");
    const load = { cwd: directory.path, env: {}, overlays: [directory.file("weir.yaml")] };
    const initial = await loadConfig(load);
    if (!initial.ok) throw new Error("expected a configuration");
    // A profile's own file in a directory that is not there cannot be watched; polling every 20 ms must find it.
    const dependencies = [...initial.dependencies, directory.file("later/secret")];
    const events = new EventEmitter();
    const onChange = () => void events.emit("applied");
    const watcher = new ConfigWatcher({
      load,
      initial: { ...initial, dependencies },
      onChange,
      logger: silentLogger,
      settleMs: 5,
      pollMs: 20,
    });
    await watcher.start();
    await directory.write("weir.yaml", "log: { level: warn }\n");
    await once(events, "applied");
    await watcher.stop();
  });
});
