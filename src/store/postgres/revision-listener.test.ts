import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import { startTestPostgres, type TestPostgres } from "../../../test/harness/postgres.ts";
import { silentLogger } from "../../core/logger.ts";
import type { PostgresAddress } from "../postgres-connection.ts";
import { PostgresStore } from "./postgres-store.ts";

const run = promisify(execFile);
const WITHIN = { timeout: 10_000, interval: 10 };

describe("a subscription to the directory in PostgreSQL", () => {
  let server: TestPostgres;
  let connection: PostgresAddress;
  let store: PostgresStore;

  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(async () => {
    await server.stop();
  });
  beforeEach(async () => {
    connection = await server.newDatabase();
    store = new PostgresStore({ connection, logger: silentLogger });
    await store.start();
    await store.directory.createOrganization({ id: "org_1", name: "One", status: "active", timeZone: "UTC" });
  });
  afterEach(async () => {
    await store.stop();
  });

  const asAdmin = async <T>(action: (client: Client) => Promise<T>): Promise<T> => {
    const client = new Client(connection);
    await client.connect();
    try {
      return await action(client);
    } finally {
      await client.end();
    }
  };
  const cutListeners = (): Promise<unknown> =>
    asAdmin((client) =>
      client.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'weir-listen' and datname = $1",
        [connection.database],
      ),
    );

  it("hears of a change that another process made", async () => {
    const heard = vi.fn();
    await store.directory.subscribe(heard);
    expect(heard).not.toHaveBeenCalled();
    await asAdmin((client) => client.query("update weir.organizations set status = 'revoked'"));
    await vi.waitFor(() => expect(heard).toHaveBeenCalled(), WITHIN);
  });

  it("does not hear of a change that was rolled back", async () => {
    const heard = vi.fn();
    await store.directory.subscribe(heard);
    await asAdmin(async (client) => {
      await client.query("begin");
      await client.query("update weir.organizations set status = 'revoked'");
      await client.query("rollback");
      await client.query("update weir.organizations set name = name where false");
    });
    const before = (await store.directory.load()).revision;
    await store.directory.setStatus("organization", "org_1", "revoked");
    await vi.waitFor(() => expect(heard).toHaveBeenCalled(), WITHIN);
    expect((await store.directory.load()).revision).toBe(before + 1);
  });

  it("hears of changes made while its connection was cut", async () => {
    const heard = vi.fn();
    await store.directory.subscribe(heard);
    await cutListeners();
    await store.directory.setStatus("organization", "org_1", "revoked");
    await vi.waitFor(() => expect(heard).toHaveBeenCalled(), WITHIN);
    heard.mockClear();
    await store.directory.setStatus("organization", "org_1", "active");
    await vi.waitFor(() => expect(heard).toHaveBeenCalled(), WITHIN);
  });

  it("hears of changes whose notification never came, by reading the revision", async () => {
    const heard = vi.fn();
    await store.directory.subscribe(heard);
    await asAdmin((client) => client.query("update weir.meta set value = value + 1 where name = 'directory_revision'"));
    await vi.waitFor(() => expect(heard).toHaveBeenCalled(), WITHIN);
  });

  it("goes on telling the others when one subscriber throws", async () => {
    const heard = vi.fn();
    await store.directory.subscribe(() => {
      throw new Error("a defect");
    });
    await store.directory.subscribe(heard);
    await store.directory.setStatus("organization", "org_1", "revoked");
    await vi.waitFor(() => expect(heard).toHaveBeenCalled(), WITHIN);
  });

  it("holds no connection after the last subscriber has left", async () => {
    const end = await store.directory.subscribe(() => {});
    await end();
    const { rows } = await asAdmin((client) =>
      client.query("select from pg_stat_activity where application_name = 'weir-listen' and datname = $1", [
        connection.database,
      ]),
    );
    expect(rows).toEqual([]);
  });

  it("rejects when the server cannot be reached to begin with", async () => {
    const away = new PostgresStore({ connection: { ...connection, host: "/nonexistent" }, logger: silentLogger });
    await expect(away.directory.subscribe(() => {})).rejects.toMatchObject({ kind: "unavailable" });
    await away.stop();
  });

  it("stops in good time while the server is frozen", async () => {
    await store.directory.subscribe(() => {});
    const { rows } = await asAdmin((client) =>
      client.query<{ pid: number }>(
        "select pid from pg_stat_activity where application_name = 'weir-listen' and datname = $1",
        [connection.database],
      ),
    );
    const pid = String(rows[0]?.pid);
    await run("kill", ["-STOP", pid]);
    try {
      await store.stop();
    } finally {
      await run("kill", ["-CONT", pid]);
    }
  });
});
