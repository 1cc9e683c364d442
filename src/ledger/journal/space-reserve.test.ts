import fs from "node:fs";
import path from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import { cleanUp, makeDirectory, turns } from "../../../test/faults/journal-fixtures.ts";
import { SpaceReserve } from "./space-reserve.ts";

const WANTED_BYTES = 700_000;

afterEach(cleanUp);

async function makeReserve(prepare: (file: string) => void = () => {}): Promise<SpaceReserve> {
  const file = path.join(await makeDirectory(), "reserve");
  prepare(file);
  return new SpaceReserve(file, WANTED_BYTES);
}

function occupiedBytes(file: string): number {
  return fs.statSync(file).blocks * 512;
}

describe("SpaceReserve", () => {
  it("really occupies what it sets aside", async () => {
    const reserve = await makeReserve();
    expect(reserve.missingBytes).toBe(WANTED_BYTES);
    expect(await reserve.fill()).toBe(true);
    expect(reserve.missingBytes).toBe(0);
    expect(occupiedBytes(reserve.file)).toBeGreaterThanOrEqual(WANTED_BYTES);
  });

  it("given a file full of holes, as a copy may leave it, fills them", async () => {
    const reserve = await makeReserve((file) => {
      fs.writeFileSync(file, "");
      fs.truncateSync(file, WANTED_BYTES);
    });
    await reserve.fill();
    expect(occupiedBytes(reserve.file)).toBeGreaterThanOrEqual(WANTED_BYTES);
  });

  it("given a larger file of an earlier configuration, gives the difference back", async () => {
    const reserve = await makeReserve((file) => fs.writeFileSync(file, Buffer.alloc(2 * WANTED_BYTES, 1)));
    await reserve.fill();
    expect(fs.statSync(reserve.file).size).toBe(WANTED_BYTES);
  });

  it("gives back at least what is asked, step by step, until nothing is left", async () => {
    const reserve = await makeReserve();
    await reserve.fill();
    expect(reserve.give(200_000)).toBe(true);
    const left = fs.statSync(reserve.file).size;
    expect(left).toBeLessThanOrEqual(WANTED_BYTES - 200_000);
    expect(left).toBeGreaterThan(0);
    while (reserve.give(1)) expect(fs.statSync(reserve.file).size).toBeLessThan(WANTED_BYTES);
    expect(fs.statSync(reserve.file).size).toBe(0);
    expect(reserve.missingBytes).toBe(WANTED_BYTES);
    expect(await reserve.fill()).toBe(true);
    expect(occupiedBytes(reserve.file)).toBeGreaterThanOrEqual(WANTED_BYTES);
  });

  it("given something is given back while it is filling, does not claim to be full", async () => {
    const reserve = await makeReserve();
    const filling = reserve.fill();
    // It fills in chunks of 256 KiB, one a turn at most: this succeeds between two of them.
    while (!reserve.give(1)) await turns(1);
    expect(await filling).toBe(false);
    expect(reserve.missingBytes).toBeGreaterThan(0);
    expect(fs.statSync(reserve.file).size, "what it holds, it holds without a hole").toBe(
      WANTED_BYTES - reserve.missingBytes,
    );
    expect(occupiedBytes(reserve.file)).toBeGreaterThanOrEqual(WANTED_BYTES - reserve.missingBytes);
  });

  it("given something is given back while it is measuring, does not claim to be full", async () => {
    const reserve = await makeReserve();
    await reserve.fill();
    const filling = reserve.fill();
    reserve.give(1);
    expect(await filling).toBe(false);
  });

  it("given a deleted file, has nothing more to give", async () => {
    const reserve = await makeReserve();
    await reserve.fill();
    fs.rmSync(reserve.file);
    reserve.give(1);
    expect(reserve.give(1)).toBe(false);
  });
});
