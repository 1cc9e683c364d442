import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { clearStalePid, findServer, isServerOf, parsePostmasterFile } from "./postmaster-file.ts";

const TEXT =
  "4711\n/srv/weir/postgres/data\n1763664000\n5432\n/srv/weir/postgres/socket\n\n  5432001         3\nready   \n";

describe("parsePostmasterFile", () => {
  it("reads what a running server writes", () => {
    expect(parsePostmasterFile(TEXT)).toEqual({
      pid: 4711,
      dataDirectory: "/srv/weir/postgres/data",
      port: 5432,
      socketDirectory: "/srv/weir/postgres/socket",
      status: "ready",
    });
  });

  it("reads a file that is still being written", () => {
    expect(parsePostmasterFile("4711\n/srv/weir/postgres/data\n")).toMatchObject({ pid: 4711, port: 0, status: "" });
  });

  it("takes an empty or broken file for none", () => {
    for (const text of ["", "\n", "nonsense\n", "-1\n", "0\n"]) expect(parsePostmasterFile(text)).toBeNull();
  });
});

describe("findServer", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "weir-test-"));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it("finds none without a file, and none when its process has gone", async () => {
    expect(await findServer(directory)).toEqual({ kind: "none" });
    await writeFile(join(directory, "postmaster.pid"), TEXT.replace("4711", "99999999"));
    expect(await findServer(directory)).toEqual({ kind: "none" });
  });

  it("calls the file stale when the process is somebody else", async () => {
    await writeFile(join(directory, "postmaster.pid"), TEXT.replace("4711", String(process.pid)));
    expect(await findServer(directory)).toMatchObject({ kind: "stale", file: { pid: process.pid } });
  });

  it("is cleared of a stale pid without losing the rest of the file", async () => {
    const text = TEXT.replace("4711", String(process.pid));
    const stale = parsePostmasterFile(text);
    await writeFile(join(directory, "postmaster.pid"), text);
    if (stale !== null) await clearStalePid(directory, stale, null);
    const cleared = await readFile(join(directory, "postmaster.pid"), "utf8");
    expect(await findServer(directory)).toEqual({ kind: "none" });
    expect(cleared.split("\n").slice(1)).toEqual(text.split("\n").slice(1));
  });
});

describe("isServerOf", () => {
  it("never takes a process that is not PostgreSQL for the server", () => {
    expect(isServerOf(process.pid, "/")).toBe(false);
    expect(isServerOf(99_999_999, "/")).toBe(false);
  });
});
