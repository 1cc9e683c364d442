import { chmod, readFile, stat, writeFile } from "node:fs/promises";

import { describe, expect, it, onTestFinished } from "vitest";

import type { Config } from "../config/schema.ts";
import { ConfigDirectory } from "../config/testing/config-directory.ts";
import { keyPepper } from "./secrets.ts";

async function setUp(yaml = ""): Promise<{ config: Config; file: string }> {
  const directory = await ConfigDirectory.create({ "weir.yaml": `data_dir: data\n${yaml}` });
  onTestFinished(() => directory.remove());
  const loaded = await directory.load();
  if (!loaded.ok) throw new Error("the configuration is refused");
  return { config: loaded.config, file: directory.file("data/key-pepper") };
}

describe("keyPepper", () => {
  it("is the configured one, and then nothing is written", async () => {
    const pepper = "a-configured-pepper-of-enough-length-0123456789";
    const { config, file } = await setUp(`security: { key_pepper: ${pepper} }`);

    expect(await keyPepper(config)).toBe(pepper);
    await expect(stat(file)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("is made once, of 256 random bits, and kept for its owner alone", async () => {
    const { config, file } = await setUp();
    const pepper = await keyPepper(config);

    expect(pepper).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(await keyPepper(config)).toBe(pepper);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await readFile(file, "utf8")).trim()).toBe(pepper);
  });

  it("differs from one installation to the next", async () => {
    expect(await keyPepper((await setUp()).config)).not.toBe(await keyPepper((await setUp()).config));
  });

  it("is the same for several that begin at once", async () => {
    const { config } = await setUp();
    const peppers = await Promise.all(Array.from({ length: 20 }, () => keyPepper(config)));

    expect(new Set(peppers).size).toBe(1);
  });

  it.each(["", "\n", "short"])(
    "refuses to run on a damaged file (%j): keys made under it would be worth nothing",
    async (text) => {
      const { config, file } = await setUp();
      const pepper = await keyPepper(config);
      await chmod(file, 0o600);
      await writeFile(file, text);

      await expect(keyPepper(config)).rejects.toThrow(file);
      await writeFile(file, pepper);
      expect(await keyPepper(config)).toBe(pepper);
    },
  );
});
