import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ManualClock } from "../../../core/clock.ts";
import { silentLogger } from "../../../core/logger.ts";
import { FileJournal } from "../../../ledger/journal/file-journal.ts";
import { examineJournal } from "./journal.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "weir-doctor-journal-"));
});
afterEach(async () => rm(directory, { recursive: true, force: true }));

const OPEN = {
  exchangeId: "req_1",
  organizationId: "org_1",
  teamId: null,
  userId: null,
  keyId: "key_1",
  userType: "developer",
  sessionId: null,
  agentId: null,
  parentAgentId: null,
  tag: null,
  endpoint: "messages",
  clientFormat: "anthropic",
  modelAsked: "claude-sonnet-5",
  modelServed: "claude-sonnet-5",
  stream: true,
  reservedMicroUsd: 10,
  estimatedInputTokens: 10,
  priceVersion: "test",
  admittedAtMs: 1,
} as const;

/** A journal with exchanges that were never settled, as a killed Weir leaves it. */
async function writeJournal(exchangeIds: readonly string[]): Promise<string> {
  const options = { dir: directory, clock: new ManualClock(0), logger: silentLogger, reserveBytes: 0 };
  const journal = new FileJournal(options);
  await journal.start();
  for (const exchangeId of exchangeIds) journal.open({ ...OPEN, exchangeId });
  await journal.flush();
  await journal.stop();
  return path.join(directory, "000000000001.segment");
}

describe("the check of the journal", () => {
  it("is content with none, and with one in which everything is settled", async () => {
    expect(await examineJournal(path.join(directory, "nowhere"))).toMatchObject({ status: "ok", detail: "empty" });
    await writeJournal([]);
    expect(await examineJournal(directory)).toMatchObject({
      status: "ok",
      detail: expect.stringContaining("1 segment, "),
    });
  });

  it("tells of exchanges that were open when Weir ended", async () => {
    await writeJournal(["req_1", "req_2"]);
    expect(await examineJournal(directory)).toMatchObject({
      status: "warn",
      detail: expect.stringContaining("2 exchanges were open when Weir ended"),
    });
  });

  it("finds damage between whole records, says where, and changes nothing", async () => {
    const file = await writeJournal(["req_1", "req_2", "req_3"]);
    const bytes = await readFile(file);
    const at = bytes.indexOf("req_2");
    bytes[at] = 0;
    await writeFile(file, bytes);
    const finding = await examineJournal(directory);
    expect(finding).toMatchObject({ status: "fail", detail: expect.stringContaining(`damaged: ${file} at byte`) });
    expect(await readFile(file)).toEqual(bytes);
  });

  it("finds a segment of another journal", async () => {
    await writeJournal(["req_1"]);
    await writeFile(path.join(directory, "id"), "00000000-0000-4000-8000-000000000000\n");
    expect((await examineJournal(directory)).status).toBe("fail");
  });
});
