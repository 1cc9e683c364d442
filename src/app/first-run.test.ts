import { beforeEach, describe, expect, it } from "vitest";

import { type AuditAct, type AuditTrail, AuditUnavailable } from "../core/audit-act.ts";
import { ManualClock } from "../core/clock.ts";
import { IdGenerator } from "../core/id.ts";
import { KeyRing } from "../identity/key-ring.ts";
import { KeyHasher, newKeySecret } from "../identity/key-secret.ts";
import { MemoryDirectoryStore } from "../store/memory/memory-directory-store.ts";
import { firstRun } from "./first-run.ts";

const NOW_MS = Date.UTC(2026, 10, 20);

describe("firstRun", () => {
  const clock = new ManualClock(NOW_MS);
  const hasher = new KeyHasher("pepper");
  let directory: MemoryDirectoryStore;
  let acts: AuditAct[] = [];
  const trail: AuditTrail = {
    record: async (act) => {
      acts.push(act);
    },
  };

  beforeEach(() => {
    directory = new MemoryDirectoryStore();
    acts = [];
  });

  function run(bootstrapKey?: string): ReturnType<typeof firstRun> {
    return firstRun(directory, { clock, ids: new IdGenerator(clock), hasher, bootstrapKey, trail });
  }

  it("makes an organisation, an administrator and a key that works at once", async () => {
    const made = await run();
    const ring = new KeyRing(hasher);
    ring.replace(await directory.load());
    const identity = ring.authenticate(made?.secret ?? "", NOW_MS);

    expect(identity.organization).toMatchObject({ name: "default", timeZone: "UTC", status: "active" });
    expect(identity.user).toMatchObject({ name: "admin", status: "active" });
    expect(identity.key).toMatchObject({ keyClass: "dev", createdAtMs: NOW_MS, expiresAtMs: null });
    expect(made?.secret.startsWith(identity.key.hint)).toBe(true);
  });

  it("stores nothing from which the secret could be read", async () => {
    const made = await run();

    expect(JSON.stringify(await directory.load())).not.toContain(made?.secret.slice(12));
  });

  it("is in the audit trail before it happens, without the secret", async () => {
    const made = await run();

    expect(acts).toMatchObject([
      { action: "installation.first_run", result: "done", after: { key: { class: "dev" } } },
    ]);
    expect(JSON.stringify(acts)).not.toContain(made?.secret.slice(12));
  });

  it("does not happen where the audit trail cannot be written", async () => {
    const broken: AuditTrail = { record: (act) => Promise.reject(new AuditUnavailable(act, new Error("disk full"))) };
    const parts = { clock, ids: new IdGenerator(clock), hasher, bootstrapKey: undefined, trail: broken };

    await expect(firstRun(directory, parts)).rejects.toThrow(AuditUnavailable);
    expect((await directory.load()).organizations).toEqual([]);
  });

  it("does nothing where somebody is already", async () => {
    await run();
    const before = await directory.load();

    expect(await run(newKeySecret("prod"))).toBeNull();
    expect(await directory.load()).toEqual(before);
  });

  it("given two processes at once, makes one organisation and shows one key", async () => {
    const made = await Promise.all([run(), run()]);

    expect(made.filter((first) => first !== null)).toHaveLength(1);
    expect(acts.map(({ result }) => result).sort()).toEqual(["done", "done", "refused"]);
    expect(await directory.load()).toMatchObject({ organizations: [{}], users: [{}], keys: [{}] });
  });

  it("takes the operator's own key, with its class", async () => {
    const bootstrapKey = newKeySecret("prod");

    expect(await run(bootstrapKey)).toEqual({ secret: bootstrapKey });
    expect((await directory.load()).keys).toMatchObject([{ keyClass: "prod", hint: bootstrapKey.slice(0, 12) }]);
  });

  it.each(["", "secret", "wr-prod-short", "sk-ant-api03-0123456789012345678901234567890123456789"])(
    "refuses the bootstrap key %j, makes nothing, and says what one looks like",
    async (bootstrapKey) => {
      await expect(run(bootstrapKey)).rejects.toThrow(/WEIR_BOOTSTRAP_KEY .* at least 43 characters of base64url/);

      expect((await directory.load()).organizations).toEqual([]);
    },
  );
});
