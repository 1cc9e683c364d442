import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import { cleanUp, makeDirectory } from "../../../test/faults/journal-fixtures.ts";
import { ManualClock } from "../../core/clock.ts";
import { DirectoryLock } from "./directory-lock.ts";
import { ownIdentity, type ProcessIdentity } from "./process-identity.ts";

afterEach(cleanUp);

async function lockFile(): Promise<string> {
  return path.join(await makeDirectory(), "lock");
}

function clock(): ManualClock {
  return new ManualClock(Date.now());
}

/** Leaves a lock file as another process would have written it. */
async function leaveLock(file: string, owner: Partial<ProcessIdentity>, ageMs = 0): Promise<void> {
  fs.writeFileSync(file, JSON.stringify({ ...(await ownIdentity()), ...owner, token: "another" }));
  const when = new Date(Date.now() - ageMs);
  fs.utimesSync(file, when, when);
}

async function endedPid(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""], { stdio: "ignore" });
  await once(child, "exit");
  return child.pid!;
}

describe("DirectoryLock", () => {
  it("given a living holder, refuses and names it", async () => {
    const file = await lockFile();
    const held = await DirectoryLock.acquire(file, clock());
    await expect(DirectoryLock.acquire(file, clock())).rejects.toMatchObject({
      code: "locked",
      message: expect.stringMatching(
        new RegExp(`runs already .* in use by process ${process.pid} on ${os.hostname()} .*lock`),
      ),
      remedy: expect.stringMatching(/Use that one, or stop it\. .* WEIR_PORT and WEIR_DATA_DIR/),
    });
    await held.release();
    await (await DirectoryLock.acquire(file, clock())).release();
    expect(fs.existsSync(file)).toBe(false);
  });

  it("given a living process of another program, refuses for as long as it runs", async () => {
    const file = await lockFile();
    const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] });
    const startTicks = fs.existsSync("/proc/self/stat")
      ? (fs.readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19] ?? null)
      : null;
    await leaveLock(file, { pid: child.pid!, startTicks });
    await expect(DirectoryLock.acquire(file, clock())).rejects.toMatchObject({ code: "locked" });
    child.stdin.end();
    await once(child, "exit");
    await (await DirectoryLock.acquire(file, clock())).release();
  });

  it("given a holder that was killed, takes over", async () => {
    const file = await lockFile();
    await leaveLock(file, { pid: await endedPid() });
    await (await DirectoryLock.acquire(file, clock())).release();
  });

  it.skipIf(!fs.existsSync("/proc/self/stat"))(
    "given a holder whose number belongs to a new process now, takes over (needs /proc to tell the start times)",
    async () => {
      const file = await lockFile();
      await leaveLock(file, { startTicks: "1" });
      await (await DirectoryLock.acquire(file, clock())).release();
    },
  );

  it("given a holder of this machine's last boot, takes over", async () => {
    const file = await lockFile();
    await leaveLock(file, { bootId: "an earlier boot" });
    await (await DirectoryLock.acquire(file, clock())).release();
  });

  it("given a holder on another machine, waits until its lock has not been refreshed for 30 s", async () => {
    const file = await lockFile();
    await leaveLock(file, { host: "elsewhere", bootId: "another" }, 20_000);
    await expect(DirectoryLock.acquire(file, clock())).rejects.toMatchObject({
      message: expect.stringContaining("on elsewhere"),
      remedy: expect.stringContaining("taken over 30 s after"),
    });
    await leaveLock(file, { host: "elsewhere", bootId: "another" }, 40_000);
    await (await DirectoryLock.acquire(file, clock())).release();
  });

  it.each(["", "{", '{"pid":"x"}', "null"])("given the lock text %j, treats it by its age", async (text) => {
    const file = await lockFile();
    fs.writeFileSync(file, text);
    await expect(DirectoryLock.acquire(file, clock())).rejects.toThrow(/an unknown process/);
    const later = clock();
    later.advance(60_000);
    await (await DirectoryLock.acquire(file, later)).release();
  });

  it("shows that its holder lives by refreshing, and notices when the lock was taken", async () => {
    const file = await lockFile();
    const time = clock();
    const held = await DirectoryLock.acquire(file, time);
    time.advance(3_600_000);
    expect(await held.refresh()).toBe(true);
    expect(fs.statSync(file).mtimeMs).toBeCloseTo(time.nowMs(), -2);
    await leaveLock(file, { pid: 1 });
    expect(await held.refresh()).toBe(false);
    await held.release();
    expect(fs.existsSync(file), "another's lock is not removed").toBe(true);
  });

  it("given many that find the same lock left behind at once, exactly one takes it over", async () => {
    const file = await lockFile();
    for (let round = 0; round < 20; round++) {
      await leaveLock(file, { pid: await endedPid() });
      const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => DirectoryLock.acquire(file, clock())));
      const won = outcomes.filter((outcome) => outcome.status === "fulfilled").map((outcome) => outcome.value);
      const holding = await Promise.all(won.map((lock) => lock.refresh()));
      expect(holding.filter(Boolean)).toHaveLength(1);
      for (const lock of won) await lock.release();
    }
  });
});
