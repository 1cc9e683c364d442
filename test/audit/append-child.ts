/** Another process that writes into the same chain: connection as JSON, organisation and number of acts as arguments. */
import { systemClock } from "../../src/core/clock.ts";
import { silentLogger } from "../../src/core/logger.ts";
import { AuditRecorder } from "../../src/ledger/audit/audit-recorder.ts";
import type { PostgresConnection } from "../../src/store/postgres-connection.ts";
import { PostgresStore } from "../../src/store/postgres/postgres-store.ts";

const [connectionText = "{}", organizationId = "", count = "0"] = process.argv.slice(2);
const connection = JSON.parse(connectionText) as PostgresConnection; // What the test gives.
const store = new PostgresStore({ connection, logger: silentLogger, maxConnections: 2 });
const recorder = new AuditRecorder(store.audit, systemClock);
process.stdout.write("ready\n");
process.stdin.once("data", () => void write());

async function write(): Promise<void> {
  const acts = Array.from({ length: Number(count) }, async (_, index) => {
    await new Promise((resolve) => setImmediate(resolve));
    await recorder.record({
      organizationId,
      actor: `process:${process.pid}`,
      action: "test.act",
      object: `act:${index}`,
      before: null,
      after: { index },
      address: null,
      requestId: null,
      result: "done",
      reason: null,
    });
  });
  await Promise.all(acts);
  await store.stop();
  process.stdin.destroy();
}
