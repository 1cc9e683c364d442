import { readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

// The form is npm's; a lockfile of another version fails the first test.
const lock = JSON.parse(readFileSync(path.join(ROOT, "package-lock.json"), "utf8")) as {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, LockedPackage>>;
};
const locked = Object.entries(lock.packages).filter(([place]) => place !== "");

describe("the lockfile", () => {
  it("is of version 3, and has an integrity for every package", () => {
    expect(lock.lockfileVersion).toBe(3);
    expect(locked.filter(([, { integrity, link }]) => integrity === undefined && link !== true)).toEqual([]);
  });

  // `npm ci` refuses a lockfile without them. It is made so where a registry has not yet got the release of every platform.
  it("has the optional packages of every platform, not only of the one it was made on", () => {
    const missing = locked.flatMap(([place, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => find(name, place) === null)
        .map((name) => `${place} wants ${name}`),
    );
    expect(missing).toEqual([]);
  });
});

/** Where node would find a package from another one; null when it is not locked. */
function find(name: string, from: string): string | null {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))) {
    const place = folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (place in lock.packages) return place;
    if (folder === "") return null;
  }
}
