/**
 * A process that uses the journal as hard as it can until it is killed: `node journal-kill-child.ts <journal> <log> <round>`.
 * It writes to the log, with plain synchronous writes that survive its death, what a client and PostgreSQL would know:
 *   o <id>            the open record is written; the upstream may have been called
 *   a <id>            the settle record was acknowledged; the response may have been released
 *   s <id> <id> …     rows of one batch, which count only with the cursor line after them
 *   c <seg> <offset>  the cursor, stored with those rows
 */
import fs from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";

import { systemClock } from "../../src/core/clock.ts";
import { FileJournal } from "../../src/ledger/journal/file-journal.ts";
import { exampleEntry, exampleOpen, stderrLogger } from "./journal-fixtures.ts";

const IN_FLIGHT = 32;

const [dir = "", log = "", round = "", segment = "", offset = ""] = process.argv.slice(2);
const logFd = fs.openSync(log, "a");
const note = (text: string): void => void fs.writeSync(logFd, text);

const journal = new FileJournal({
  dir,
  clock: systemClock,
  logger: stderrLogger,
  segmentBytes: 64 * 1024,
  reserveBytes: 64 * 1024,
});
await journal.start();

for (const { exchangeId } of journal.recoverOpen()) settle(exchangeId, () => {});

let next = 0;
function exchangeForever(): void {
  const id = `req_${round}_${next++}`;
  if (!journal.open(exampleOpen(id))) throw new Error(`the journal is ${journal.state}`);
  note(`o ${id}\n`);
  settle(id, exchangeForever);
}

function settle(id: string, then: () => void): void {
  journal.settle(exampleEntry(id), (error) => {
    if (error !== null) throw error;
    note(`a ${id}\n`);
    then();
  });
}

for (let n = 0; n < IN_FLIGHT; n++) exchangeForever();

let cursor = segment === "" ? journal.oldest() : { segment: Number(segment), offset: Number(offset) };
for (;;) {
  const batch = await journal.read(cursor, 32 * 1024);
  await nextTurn();
  if (batch === null) continue;
  // The journal promises texts of Entry.
  const rows = batch.entries.map((entry) => (JSON.parse(entry.toString()) as { exchangeId: string }).exchangeId);
  cursor = batch.to;
  note(`s ${rows.join(" ")}\nc ${cursor.segment} ${cursor.offset}\n`);
  journal.release(cursor);
}
