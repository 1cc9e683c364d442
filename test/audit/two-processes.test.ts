/** However many processes write at once, an organisation has one chain. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { silentLogger } from "../../src/core/logger.ts";
import { TrustedKeys } from "../../src/ledger/audit/statement-signer.ts";
import { verifyStore } from "../../src/ledger/audit/verify-store.ts";
import { PostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { startTestPostgres, type TestPostgres } from "../harness/postgres.ts";

const CHILD = path.join(import.meta.dirname, "append-child.ts");
const ACTS = 1_500;

let server: TestPostgres;
let store: PostgresStore;

beforeAll(async () => {
  server = await startTestPostgres();
  store = new PostgresStore({ connection: server.connection, logger: silentLogger });
  await store.start();
});
afterAll(async () => {
  await store.stop();
  await server.stop();
});

describe("two processes that write at the same time", () => {
  it("keep one chain without a gap, with every act in it", async () => {
    const children = [1, 2].map(() =>
      spawn(process.execPath, [CHILD, JSON.stringify(server.connection), "org_1", String(ACTS)], {
        stdio: ["pipe", "pipe", "inherit"],
      }),
    );
    const ends = children.map((child) => once(child, "exit"));
    await Promise.all(children.map((child) => once(child.stdout, "data")));
    for (const child of children) child.stdin.write("go\n");
    expect(await Promise.all(ends)).toEqual([
      [0, null],
      [0, null],
    ]);

    const [state] = await store.audit.chains("org_1");
    if (state === undefined) throw new Error("there is no chain");
    expect(state.seq).toBe(2 * ACTS);
    const report = await verifyStore(store.audit, state, { keys: new TrustedKeys([]) });
    expect(report).toMatchObject({ rows: 2 * ACTS, findings: [] });
    const rows = await store.audit.rows(state, { afterSeq: 0, throughSeq: Infinity, limit: 2 * ACTS });
    expect(new Set(rows.map(({ actor, object }) => `${actor} ${object}`)).size).toBe(2 * ACTS);
    expect(new Set(rows.map(({ actor }) => actor)).size).toBe(2);
    // Both were at it at once, so their rows are mixed.
    const changes = rows.filter(({ actor }, index) => index > 0 && rows[index - 1]?.actor !== actor).length;
    expect(changes).toBeGreaterThan(1);
  });
});
