import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import { withInstanceLock } from "./instance-lock.ts";

describe("withInstanceLock", () => {
  let directory: string;
  let path: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "weir-test-"));
    path = join(directory, "lock");
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it("gives back what the action gives, and leaves nothing behind", async () => {
    expect(await withInstanceLock(path, 1_000, async () => 42)).toBe(42);
    expect(await readdir(directory)).toEqual([]);
  });

  it("is free again after an action that failed", async () => {
    await expect(
      withInstanceLock(path, 1_000, async () => {
        throw new Error("failed");
      }),
    ).rejects.toThrow("failed");
    expect(await withInstanceLock(path, 0, async () => "free")).toBe("free");
  });

  it("lets one action in at a time", async () => {
    let inside = 0;
    let most = 0;
    const action = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 10 }, () => withInstanceLock(path, 20_000, action)));
    expect(most).toBe(1);
  });

  it("takes over from a holder that has died, also when its pid was given to another process", async () => {
    await writeFile(path, "99999999 1 dead");
    expect(await withInstanceLock(path, 0, async () => "mine")).toBe("mine");
    await writeFile(path, `${process.pid} 1 an-earlier-process-with-this-pid`);
    expect(await withInstanceLock(path, 0, async () => "mine")).toBe("mine");
  });

  it("gives up on a holder that lives, and names it", async () => {
    await withInstanceLock(path, 0, async () => {
      const second = withInstanceLock(path, 0, async () => {});
      await expect(second).rejects.toBeInstanceOf(EmbeddedPostgresError);
      await expect(second).rejects.toThrow(`process ${process.pid}`);
    });
  });
});
