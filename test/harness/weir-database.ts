import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

import type { Client } from "pg";

import { silentLogger } from "../../src/core/logger.ts";
import type { Entry } from "../../src/message/entry.ts";
import { isServerOf, readPostmasterFile } from "../../src/store/embedded/postmaster-file.ts";
import { readRunFile } from "../../src/store/embedded/run-file.ts";
import { stopServer } from "../../src/store/embedded/server-process.ts";
import type { PostgresAddress } from "../../src/store/postgres-connection.ts";
import { entryFromRow, type EntryRow } from "../../src/store/postgres/entry-row.ts";
import { PostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { createClient } from "../../src/store/postgres/store-pool.ts";

/** The database of a running Weir, seen from another process: this one. */
export class WeirDatabase {
  readonly #dataDir: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** Rows of a query of the test's own. */
  async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return await this.#connected(async (client) => (await client.query<Row>(text, [...values])).rows);
  }

  /** All ledger rows in the order of admission. */
  async entries(): Promise<Entry[]> {
    const rows = await this.query<EntryRow>("select * from weir.usage_entries order by admitted_at, exchange_id");
    return rows.map(entryFromRow);
  }

  /** Does something with the stores, as a command-line process would. */
  async withStore<T>(work: (store: PostgresStore) => Promise<T>): Promise<T> {
    const store = new PostgresStore({ connection: await this.#address(), logger: silentLogger, maxConnections: 2 });
    try {
      return await work(store);
    } finally {
      await store.stop();
    }
  }

  /** Everything in every table, as one text: for looking for what must not be there. */
  async dump(): Promise<string> {
    return await this.#connected(async (client) => {
      const { rows } = await client.query<{ name: string }>(
        "select tablename as name from pg_tables where schemaname = 'weir' order by 1",
      );
      const texts: string[] = [];
      for (const { name } of rows) {
        const table = await client.query<{ text: string }>(`select t::text as text from weir."${name}" t`);
        texts.push(name, ...table.rows.map((row) => row.text));
      }
      return texts.join("\n");
    });
  }

  /** The pid of the running server; null when none runs. */
  async pid(): Promise<number | null> {
    const place = await this.#dataDirectory();
    const file = place === null ? null : await readPostmasterFile(place);
    return place !== null && file !== null && isServerOf(file.pid, place) ? file.pid : null;
  }

  /** Stops every process of the server until the returned function is called. */
  async freeze(): Promise<() => void> {
    const server = await this.pid();
    if (server === null) throw new Error("there is no PostgreSQL to freeze");
    const pids = [server, ...(await childrenOf(server))];
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    return () => {
      for (const pid of pids) process.kill(pid, "SIGCONT");
    };
  }

  /** Kills the server, and with it its backends. */
  async kill(): Promise<void> {
    const pid = await this.pid();
    if (pid !== null) process.kill(pid, "SIGKILL");
  }

  /** Ends a server that a killed Weir left behind. */
  async stop(): Promise<void> {
    const place = await this.#dataDirectory();
    const pid = await this.pid();
    if (place !== null && pid !== null) await stopServer(pid, place);
  }

  async #connected<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = createClient(await this.#address());
    client.on("error", () => {}); // A lost connection also fails the query.
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  async #address(): Promise<PostgresAddress> {
    const run = await readRunFile(join(this.#dataDir, "run", "postgres.json"));
    if (run === null) throw new Error(`no PostgreSQL has run in ${this.#dataDir}`);
    const password = (await readFile(join(this.#dataDir, "postgres.password"), "utf8")).trim();
    const { host, port, user, database } = run;
    return { host, port, user, database, password };
  }

  async #dataDirectory(): Promise<string | null> {
    return (await readRunFile(join(this.#dataDir, "run", "postgres.json")))?.dataDirectory ?? null;
  }
}

async function childrenOf(parent: number): Promise<number[]> {
  const children: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => ""); // it may have ended meanwhile
    // pid (command) state parent: the command may hold spaces and parentheses.
    if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent) children.push(Number(name));
  }
  return children;
}
