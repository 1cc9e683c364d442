import { chmod, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { MAX_SOCKET_PATH, socketPath } from "./server-settings.ts";
import { chooseSocketDirectory, createSocketDirectory } from "./socket-directory.ts";

describe("chooseSocketDirectory", () => {
  it("keeps the socket in the home while its path fits", () => {
    expect(chooseSocketDirectory("/srv/weir/postgres", 5432)).toBe("/srv/weir/postgres/socket");
  });

  it("finds a short place, always the same for one home and another for another", () => {
    const long = `/srv/${"x".repeat(90)}`;
    const chosen = chooseSocketDirectory(long, 5432, "/tmp");
    expect(chosen).toBe(chooseSocketDirectory(long, 5432, "/tmp"));
    expect(chosen).not.toBe(chooseSocketDirectory(`${long}y`, 5432, "/tmp"));
    expect(socketPath(chosen, 5432).length).toBeLessThanOrEqual(MAX_SOCKET_PATH);
  });

  it("counts bytes, not characters, and passes over a long directory for temporary files", () => {
    const chosen = chooseSocketDirectory(`/srv/${"ü".repeat(50)}`, 5432, `/var/${"t".repeat(90)}`);
    expect(chosen.startsWith("/tmp/weir-")).toBe(true);
  });
});

describe("createSocketDirectory", () => {
  let parent: string;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), "weir-test-"));
  });
  afterEach(async () => {
    await rm(parent, { recursive: true });
  });

  it("makes it for its owner alone, and accepts it again", async () => {
    await createSocketDirectory(join(parent, "socket"), null);
    await createSocketDirectory(join(parent, "socket"), null);
  });

  it("refuses one that others may enter, and a link that somebody put there", async () => {
    await mkdir(join(parent, "open"));
    await chmod(join(parent, "open"), 0o755);
    await expect(createSocketDirectory(join(parent, "open"), null)).rejects.toThrow("made by somebody else");
    await mkdir(join(parent, "target"), { mode: 0o700 });
    await symlink(join(parent, "target"), join(parent, "link"));
    await expect(createSocketDirectory(join(parent, "link"), null)).rejects.toThrow("made by somebody else");
  });
});
