import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import { newClusterDirectory } from "../../../test/harness/postgres.ts";
import { systemClock } from "../../core/clock.ts";
import { silentLogger } from "../../core/logger.ts";
import { EmbeddedPostgres } from "./embedded-postgres.ts";
import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import type { EmbeddedPostgresOptions } from "./embedded-postgres-options.ts";
import { findHome } from "./cluster-home.ts";
import { isServerOf, readPostmasterFile } from "./postmaster-file.ts";
import { isProcessAlive } from "./system-process.ts";

const EVENTUALLY = { timeout: 20_000, interval: 20 };
const IS_ROOT = process.getuid?.() === 0;
const NOBODY = 65_534;

describe("EmbeddedPostgres", () => {
  const started: EmbeddedPostgres[] = [];
  const children: ChildProcess[] = [];
  const directories: string[] = [];
  let dataDir: string;

  beforeEach(async () => {
    dataDir = await newClusterDirectory();
    directories.push(dataDir);
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await killed(child);
    for (const postgres of started.splice(0)) await postgres.stop();
    for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
  });

  const make = (options: Partial<EmbeddedPostgresOptions> = {}): EmbeddedPostgres => {
    const postgres = new EmbeddedPostgres({
      dataDir,
      clock: systemClock,
      logger: silentLogger,
      orphanGraceMs: 0,
      ...options,
    });
    started.push(postgres);
    return postgres;
  };
  const newDirectory = async (mode: number): Promise<string> => {
    const directory = await mkdtemp(join(tmpdir(), "weir-test-"));
    await chmod(directory, mode);
    directories.push(directory);
    return directory;
  };
  /** Another Weir: a process that starts the server of the same data directory and waits to be killed or told to stop. */
  const startElsewhere = async (
    options: object = {},
  ): Promise<{ child: ChildProcess; pid: number; startKind: string }> => {
    const child = spawnWeir({ dataDir, orphanGraceMs: 0, ...options });
    children.push(child);
    const status = JSON.parse(await firstLine(child));
    return { child, ...status };
  };
  const serverPid = async (): Promise<number> => {
    const home = await findHome(dataDir);
    return (await readPostmasterFile(join(home?.path ?? "", "data")))?.pid ?? 0;
  };
  const serverOfDirectoryRuns = async (): Promise<boolean> => {
    const home = await findHome(dataDir);
    return isServerOf(await serverPid(), join(home?.path ?? "", "data"));
  };

  describe("given an empty data directory", () => {
    let parent: string;
    let postgres: EmbeddedPostgres;

    beforeAll(async () => {
      parent = await mkdtemp(join(tmpdir(), "weir-test-"));
      await chmod(parent, 0o711);
      postgres = new EmbeddedPostgres({
        dataDir: join(parent, "weir", "data"),
        clock: systemClock,
        logger: silentLogger,
        orphanGraceMs: 0,
      });
      await postgres.start();
    });
    afterAll(async () => {
      await postgres.stop();
      await rm(parent, { recursive: true, force: true });
    });

    it("makes a database and starts it", async () => {
      expect(postgres.status()).toMatchObject({ state: "running", startKind: "first_run", restarts: 0 });
      expect(await query(postgres, "select 1 as one")).toEqual([{ one: 1 }]);
    });

    it("is durable, sorts the same everywhere, and keeps to its socket", async () => {
      const names = "fsync synchronous_commit full_page_writes data_checksums jit server_encoding listen_addresses";
      const rows = await query(
        postgres,
        `select name, setting from pg_settings where name = any(string_to_array('${names}', ' '))`,
      );
      expect(Object.fromEntries(rows.map((row) => [row["name"], row["setting"]]))).toEqual({
        fsync: "on",
        synchronous_commit: "on",
        full_page_writes: "on",
        data_checksums: "on",
        jit: "off",
        server_encoding: "UTF8",
        listen_addresses: "",
      });
      const [database] = await query(
        postgres,
        "select datlocprovider, datlocale from pg_database where datname = 'postgres'",
      );
      expect(database).toEqual({ datlocprovider: "b", datlocale: "C.UTF-8" });
    });

    it("lets nobody in without the generated password, which only this user can read", async () => {
      const intruder = new Client({ ...postgres.connection, password: "guess" });
      await expect(intruder.connect()).rejects.toThrow("password authentication failed");
      const { mode } = await stat(join(parent, "weir", "data", "postgres.password"));
      expect(mode & 0o777).toBe(0o600);
    });

    it("finds everything again at the next start", async () => {
      await query(postgres, "create table kept as select 42 as answer");
      await postgres.stop();
      await postgres.start();
      expect(postgres.status().startKind).toBe("started");
      expect(await query(postgres, "select answer from kept")).toEqual([{ answer: 42 }]);
    });
  });

  it("given a first run that was interrupted, begins it again", async () => {
    dataDir = await newDirectory(0o711);
    await mkdir(join(dataDir, "postgres", "data.new"), { recursive: true });
    await writeFile(join(dataDir, "postgres", "data.new", "PG_VERSION"), "18\n");
    const postgres = make();
    await postgres.start();
    expect(postgres.status().startKind).toBe("first_run");
  });

  describe("given a database from before", () => {
    it("stops its server when it stops, and may be stopped twice", async () => {
      const postgres = make();
      await postgres.start();
      const { pid } = postgres.status();
      await postgres.stop();
      await postgres.stop();
      expect(isProcessAlive(pid ?? 0)).toBe(false);
      expect(postgres.status()).toMatchObject({ state: "stopped", pid: null });
      expect(await serverPid()).toBe(0);
    });

    it("runs the server in a session of its own, so that Ctrl-C does not reach it", async () => {
      const postgres = make();
      await postgres.start();
      expect(await processGroup(postgres.status().pid ?? 0)).not.toBe(await processGroup(process.pid));
    });

    it("also listens on a TCP port of this machine when asked to", async () => {
      const port = await freePort();
      const postgres = make({ port });
      await postgres.start();
      const client = new Client({ ...postgres.connection, host: "127.0.0.1", port });
      await client.connect();
      await client.end();
    });

    it("says what is wrong when the server does not start, and leaves nothing running", async () => {
      const home = await findHome(dataDir);
      await writeFile(join(home?.path ?? "", "data", "local.conf"), "no_such_setting = 1\n");
      const failure: unknown = await make()
        .start()
        .catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(EmbeddedPostgresError);
      expect(String(failure)).toContain("no_such_setting");
      expect(await serverOfDirectoryRuns()).toBe(false);
    });

    it("refuses a database of another major version", async () => {
      const home = await findHome(dataDir);
      await writeFile(join(home?.path ?? "", "data", "PG_VERSION"), "17\n");
      await expect(make().start()).rejects.toThrow("made by PostgreSQL 17");
    });

    it("given a lost password file, sets a new password and keeps the data", async () => {
      const postgres = make();
      await postgres.start();
      await query(postgres, "create table kept as select 42 as answer");
      await postgres.stop();
      await rm(join(dataDir, "postgres.password"));
      await postgres.start();
      expect(await query(postgres, "select answer from kept")).toEqual([{ answer: 42 }]);
    });

    it("puts its socket among the temporary files when the path would be too long", async () => {
      const long = join(await newDirectory(0o711), "x".repeat(60), "y".repeat(60));
      await mkdir(long, { recursive: true, mode: 0o711 });
      await rename(dataDir, join(long, "data"));
      dataDir = join(long, "data");
      const postgres = make();
      await postgres.start();
      const { host } = postgres.connection;
      expect(host.startsWith(dataDir)).toBe(false);
      expect(await query(postgres, "select 1 as one")).toEqual([{ one: 1 }]);
      await postgres.stop();
      await expect(stat(host)).rejects.toThrow("ENOENT");
    });
  });

  describe("given a server that dies", () => {
    it("brings it back at the same address with everything committed, each time", async () => {
      const postgres = make();
      await postgres.start();
      const address = postgres.connection;
      await query(postgres, "create table kept (n int)");
      for (let n = 1; n <= 3; n++) {
        await query(postgres, `insert into kept values (${n})`);
        process.kill(postgres.status().pid ?? 0, "SIGKILL");
        await vi.waitFor(() => expect(postgres.status()).toMatchObject({ state: "running", restarts: n }), EVENTUALLY);
      }
      expect(postgres.connection).toEqual(address);
      expect(await query(postgres, "select count(*)::int as n from kept")).toEqual([{ n: 3 }]);
    });

    it("brings back one that another Weir had started", async () => {
      const other = await startElsewhere();
      const postgres = make();
      await postgres.start();
      process.kill(other.pid, "SIGKILL");
      await vi.waitFor(() => expect(postgres.status()).toMatchObject({ state: "running", restarts: 1 }), EVENTUALLY);
      expect(await query(postgres, "select 1 as one")).toEqual([{ one: 1 }]);
    });

    it("can be stopped while it cannot be brought back", async () => {
      const postgres = make();
      await postgres.start();
      const home = await findHome(dataDir);
      await writeFile(join(home?.path ?? "", "data", "local.conf"), "no_such_setting = 1\n");
      process.kill(postgres.status().pid ?? 0, "SIGKILL");
      await vi.waitFor(() => expect(postgres.status().lastError).not.toBeNull(), EVENTUALLY);
      expect(postgres.status().state).toBe("recovering");
      await postgres.stop();
      expect(await serverOfDirectoryRuns()).toBe(false);
    });
  });

  describe("given several Weir processes on one data directory", () => {
    it("shares one server, which the last to leave stops", async () => {
      const other = await startElsewhere();
      const postgres = make();
      await postgres.start();
      expect(postgres.status()).toMatchObject({ startKind: "joined", pid: other.pid });
      await stopped(other.child);
      expect(await query(postgres, "select 1 as one")).toEqual([{ one: 1 }]);
      await postgres.stop();
      await vi.waitFor(() => expect(isProcessAlive(other.pid)).toBe(false), EVENTUALLY);
    });

    it("starts one server when they start at once", async () => {
      const group = [make(), make(), make()];
      await Promise.all(group.map((postgres) => postgres.start()));
      expect(new Set(group.map((postgres) => postgres.status().pid)).size).toBe(1);
      expect(group.filter((postgres) => postgres.status().startKind === "started")).toHaveLength(1);
    });
  });

  describe("given a Weir that was killed", () => {
    it("takes its server over", async () => {
      const other = await startElsewhere({ orphanGraceMs: 60_000 });
      await killed(other.child);
      const postgres = make();
      await postgres.start();
      expect(postgres.status()).toMatchObject({ startKind: "joined", pid: other.pid });
      await postgres.stop();
      await vi.waitFor(() => expect(isProcessAlive(other.pid)).toBe(false), EVENTUALLY);
    });

    it("has its watchdog stop the server after the grace", async () => {
      const other = await startElsewhere();
      await killed(other.child);
      await vi.waitFor(() => expect(isProcessAlive(other.pid)).toBe(false), EVENTUALLY);
      const log = await readFile(join(dataDir, "postgres.log"), "utf8");
      expect(log).toContain("database system is shut down");
    });

    it("has its watchdog leave the server to another Weir that uses it", async () => {
      const other = await startElsewhere();
      const postgres = make();
      await postgres.start();
      await killed(other.child);
      await vi.waitFor(async () => expect(await watchdogsOf(dataDir)).toBe(1), EVENTUALLY);
      expect(postgres.status()).toMatchObject({ state: "running", restarts: 0, pid: other.pid });
      expect(await query(postgres, "select 1 as one")).toEqual([{ one: 1 }]);
    });

    it("starts a frozen server anew", async () => {
      const other = await startElsewhere({ orphanGraceMs: 60_000 });
      await killed(other.child);
      process.kill(other.pid, "SIGSTOP");
      const postgres = make();
      await postgres.start();
      expect(postgres.status().startKind).toBe("started");
      expect(await query(postgres, "select 1 as one")).toEqual([{ one: 1 }]);
    });

    it("starts although the pid of the killed server was given to another process", async () => {
      const bystander = spawn("sleep", ["600"], { stdio: "ignore" });
      children.push(bystander);
      const home = await findHome(dataDir);
      const data = join(home?.path ?? "", "data");
      await writeFile(
        join(data, "postmaster.pid"),
        `${bystander.pid}\n${data}\n1\n5432\n\n\n       1         1\nready   \n`,
      );
      const owner = await stat(data);
      await chown(join(data, "postmaster.pid"), owner.uid, owner.gid);
      const postgres = make();
      await postgres.start();
      expect(postgres.status().startKind).toBe("started");
      expect(isProcessAlive(bystander.pid ?? 0)).toBe(true);
    });

    it("refuses to start where a server answers that cannot be seen from here", async () => {
      const home = await findHome(dataDir);
      const data = join(home?.path ?? "", "data");
      const socketDirectory = await newDirectory(0o755);
      const stranger = createServer().listen(join(socketDirectory, ".s.PGSQL.5432"));
      await once(stranger, "listening");
      try {
        await writeFile(join(data, "postmaster.pid"), `99999999\n${data}\n1\n5432\n${socketDirectory}\n\n\nready   \n`);
        await expect(make().start()).rejects.toThrow("not visible from here");
      } finally {
        stranger.close();
      }
    });
  });

  describe.runIf(IS_ROOT)("run by root", () => {
    it("runs the server as an ordinary user", async () => {
      const postgres = make();
      await postgres.start();
      expect((await stat(`/proc/${postgres.status().pid}`)).uid).not.toBe(0);
    });

    it("runs the server as the owner of the data directory where that is not root", async () => {
      dataDir = await newDirectory(0o755);
      await chown(dataDir, NOBODY, NOBODY);
      const postgres = make();
      await postgres.start();
      expect((await stat(`/proc/${postgres.status().pid}`)).uid).toBe(NOBODY);
    });

    describe("with a data directory that no other user can reach", () => {
      let locked: string;
      let relocationDir: string;

      beforeEach(async () => {
        locked = await newDirectory(0o700);
        relocationDir = await newDirectory(0o755);
        dataDir = join(locked, "data");
      });

      it("keeps the database elsewhere, says so, and finds it again", async () => {
        const warn = vi.fn();
        const postgres = make({ relocationDir, logger: { ...silentLogger, warn } });
        await postgres.start();
        await query(postgres, "create table kept as select 42 as answer");
        await postgres.stop();
        expect(warn).toHaveBeenCalledWith(
          expect.objectContaining({ dataDir, home: expect.stringContaining(relocationDir) }),
          expect.stringContaining("kept elsewhere"),
        );
        await postgres.start();
        expect(postgres.status().startKind).toBe("started");
        expect(await query(postgres, "select answer from kept")).toEqual([{ answer: 42 }]);
      });

      it("follows a data directory that was moved, but gives a copy no part in its database", async () => {
        const postgres = make({ relocationDir });
        await postgres.start();
        await postgres.stop();
        await cp(dataDir, join(locked, "copy"), { recursive: true });
        await expect(make({ relocationDir, dataDir: join(locked, "copy") }).start()).rejects.toThrow("is a copy of");
        await rename(dataDir, join(locked, "moved"));
        const moved = make({ relocationDir, dataDir: join(locked, "moved") });
        await moved.start();
        expect(moved.status().startKind).toBe("started");
      });

      it("says what is missing when the database is not where it was put", async () => {
        const postgres = make({ relocationDir });
        await postgres.start();
        await postgres.stop();
        await rm(relocationDir, { recursive: true });
        await expect(postgres.start()).rejects.toThrow("which is not there");
      });
    });
  });

  describe.runIf(IS_ROOT)("run by an ordinary user", () => {
    it("runs the server as that user", async () => {
      dataDir = join(await newDirectory(0o777), "data");
      const other = await startElsewhere({ uid: NOBODY });
      expect(other.startKind).toBe("first_run");
      expect((await stat(`/proc/${other.pid}`)).uid).toBe(NOBODY);
      await stopped(other.child);
      await vi.waitFor(() => expect(isProcessAlive(other.pid)).toBe(false), EVENTUALLY);
    });

    it("refuses a data directory of another user", async () => {
      const child = spawnWeir({ dataDir, uid: NOBODY });
      children.push(child);
      expect(await allText(child.stderr)).toContain("is not ours to write");
    });
  });
});

/** The program of another Weir process: prints its status once started; stops when its input ends. */
const PROGRAM = `
import { EmbeddedPostgres } from "${fileURLToPath(new URL("./embedded-postgres.ts", import.meta.url))}";
import { systemClock } from "${fileURLToPath(new URL("../../core/clock.ts", import.meta.url))}";
import { silentLogger } from "${fileURLToPath(new URL("../../core/logger.ts", import.meta.url))}";
const postgres = new EmbeddedPostgres({ ...JSON.parse(process.argv[1]), clock: systemClock, logger: silentLogger });
await postgres.start();
console.log(JSON.stringify(postgres.status()));
process.stdin.on("end", () => void postgres.stop().then(() => process.exit())).resume();
`;

function spawnWeir(options: { dataDir: string; orphanGraceMs?: number; uid?: number }): ChildProcess & {
  stderr: NodeJS.ReadableStream;
} {
  const { uid, ...rest } = options;
  return spawn(process.execPath, ["--input-type=module", "-e", PROGRAM, JSON.stringify(rest)], {
    stdio: ["pipe", "pipe", "pipe"],
    cwd: "/",
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null || child.stderr === null) throw new Error("the child has no output");
  const errors = allText(child.stderr);
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error(`the other Weir ended: ${await errors}`);
}

async function allText(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

async function stopped(child: ChildProcess): Promise<void> {
  const exit = once(child, "exit");
  child.stdin?.end();
  expect((await exit)[0]).toBe(0);
}

async function query(postgres: EmbeddedPostgres, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client(postgres.connection);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

async function processGroup(pid: number): Promise<string | undefined> {
  const child = spawn("ps", ["-o", "pgid=", "-p", String(pid)]);
  return (await allText(child.stdout)).trim();
}

async function watchdogsOf(dataDir: string): Promise<number> {
  const child = spawn("ps", ["-eo", "args="]);
  const lines = (await allText(child.stdout)).split("\n");
  return lines.filter((line) => line.includes("weir-watchdog") && line.includes(`${dataDir}/run`)).length;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
