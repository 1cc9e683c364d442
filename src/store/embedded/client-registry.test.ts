import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ClientRegistry } from "./client-registry.ts";

describe("ClientRegistry", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "weir-test-"));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it("counts the others, not itself", async () => {
    const one = new ClientRegistry(directory);
    const two = new ClientRegistry(directory);
    await one.register();
    expect(await one.countOthers()).toBe(0);
    await two.register();
    expect(await one.countOthers()).toBe(1);
    await two.unregister();
    expect(await one.countOthers()).toBe(0);
  });

  it("forgets processes that have died, also those whose pid was given to another", async () => {
    await writeFile(join(directory, "99999999-dead"), "1");
    await writeFile(join(directory, `${process.pid}-earlier`), "1");
    await writeFile(join(directory, "not-a-pid"), "");
    expect(await new ClientRegistry(directory).countOthers()).toBe(0);
    expect(await readdir(directory)).toEqual([]);
  });

  it("counts nobody in a directory that is not there", async () => {
    expect(await new ClientRegistry(join(directory, "none")).countOthers()).toBe(0);
  });
});
