import { readFile, stat, writeFile } from "node:fs/promises";

import { beforeEach, describe, expect, it } from "vitest";

import { type AuditTrail, AuditUnavailable } from "../../core/audit-act.ts";
import { CliFixture, NOON_MS, ORGANIZATION } from "../testing/cli-fixture.ts";

const DAY_MS = 86_400_000;
const CHAIN = { organizationId: ORGANIZATION.id, retentionClass: "audit" } as const;

let weir: CliFixture;

beforeEach(async () => {
  weir = await CliFixture.create();
  return () => weir[Symbol.asyncDispose]();
});

async function act(action: string, given: { actor?: string; reason?: string } = {}): Promise<void> {
  await weir.auditTrail.record({
    organizationId: ORGANIZATION.id,
    actor: given.actor ?? "cli:ada",
    action,
    object: "key:key_1",
    before: null,
    after: { name: "laptop" },
    address: null,
    requestId: null,
    result: "done",
    reason: given.reason ?? null,
  });
}

describe("weir audit list", () => {
  it("shows who did what, newest first", async () => {
    await act("key.create");
    weir.clock.advance(1_000);
    await act("key.revoke", { reason: "it leaked" });
    const { out, exitCode } = await weir.run("audit list");

    expect(exitCode).toBe(0);
    expect(out.split("\n")[1]).toMatch(/^2026-11-20T12:00:01.000Z +cli:ada +key.revoke +key:key_1 +done +it leaked$/);
    expect(out.split("\n")[2]).toContain("key.create");
  });

  it("filters, and gives everything of a row as JSON", async () => {
    await act("key.create");
    await act("team.create", { actor: "user:usr_1" });
    const run = await weir.run(["audit", "list", "--action", "key.*", "--org", "acme", "--json"]);

    expect(run.json()).toMatchObject({
      rows: [
        {
          seq: 1,
          class: "audit",
          at: "2026-11-20T12:00:00.000Z",
          actor: "cli:ada",
          after: { name: "laptop" },
          hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
      ],
    });
    expect((await weir.run("audit list --actor user:usr_1 --json")).json()).toMatchObject({ rows: [{ seq: 2 }] });
  });

  it("says so when there is nothing", async () => {
    expect((await weir.run("audit list")).out).toBe("No acts.\n");
  });

  it("does not pass control characters on to the terminal", async () => {
    await act("key.create", { reason: "\u001B[2J" });
    expect((await weir.run("audit list")).out).not.toContain("\u001B");
  });

  it("knows no organisation of that name", async () => {
    const { exitCode, err } = await weir.run("audit list --org other");
    expect(exitCode).toBe(2);
    expect(err).toContain('there is no organisation "other"');
  });
});

describe("weir audit verify", () => {
  it("finds an untouched trail valid", async () => {
    await act("key.create");
    const { out, exitCode } = await weir.run("audit verify");
    expect(exitCode).toBe(0);
    expect(out).toBe("valid   org_1/audit: rows 1 to 1 (1), 0 signed heads, the last 1 not signed yet\n");
  });

  it("says which row is wrong, and how, and exits with 1", async () => {
    await act("key.create");
    const [row] = await weir.audit.rows(CHAIN, { afterSeq: 0, throughSeq: 1, limit: 1 });
    await weir.audit.append(CHAIN, () => (row === undefined ? [] : [{ ...row, seq: 2, actor: "cli:eve" }]));
    const { out, exitCode } = await weir.run("audit verify");
    const json = (await weir.run("audit verify --json")).json();

    expect(exitCode).toBe(1);
    expect(out).toMatch(
      /^INVALID org_1\/audit: .*\n {2}row 2: not_linked: .*\n {2}row 2: altered: its content has hash/,
    );
    expect(json).toMatchObject({
      valid: false,
      chains: [{ findings: [{ kind: "not_linked", seq: 2 }, { kind: "altered" }] }],
    });
  });

  it("finds missing what this machine has seen signed", async () => {
    await act("key.create");
    const missing = { ...CHAIN, seq: 2, hash: "ab".repeat(32) };
    weir.keptHeads.push(weir.auditSigner.head(missing, NOON_MS));
    const { out, exitCode } = await weir.run("audit verify");
    expect(exitCode).toBe(1);
    expect(out).toContain("row 2: truncated: rows 2 to 2 are missing");
  });

  it("shows its progress on a terminal alone", async () => {
    await act("key.create");
    expect((await weir.run("audit verify", { isTty: true })).err).toContain("1 of about 1 rows");
    expect((await weir.run("audit verify")).err).toBe("");
  });

  it("says what is wrong with a file that is no export, or no key", async () => {
    await writeFile(weir.file("a.csv"), "a,b\n1,2\n");
    await writeFile(weir.file("key.pem"), "no key");
    expect(await weir.run(["audit", "verify", "--file", weir.file("a.csv")])).toMatchObject({ exitCode: 2 });
    expect(await weir.run(["audit", "verify", "--file", weir.file("none")])).toMatchObject({ exitCode: 3 });
    const wrongKey = await weir.run(["audit", "verify", "--public-key", weir.file("key.pem")]);
    expect(wrongKey).toMatchObject({ exitCode: 2, err: expect.stringContaining("holds no public key") });
  });
});

describe("weir audit export", () => {
  it.each(["jsonl", "csv"])(
    "writes %s that verifies, readable by its owner alone, and is itself an act",
    async (format) => {
      await act("key.create", { reason: '=cmd("x")' });
      const file = weir.file(`audit.${format}`);
      const { out, exitCode } = await weir.run(["audit", "export", "--format", format, "--output", file]);
      const verified = await weir.run(["audit", "verify", "--file", file]);

      expect({ exitCode, out }).toEqual({
        exitCode: 0,
        out: expect.stringMatching(/^Wrote \d rows of \d chains? to /),
      });
      expect(verified).toMatchObject({ exitCode: 0, out: expect.stringContaining("valid   org_1/audit: rows 1 to 1") });
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      const acts = (await weir.run("audit list --org installation --json")).json();
      expect(acts).toMatchObject({ rows: [{ action: "audit.export", object: `file:${file}` }] });
    },
  );

  it("of which a line was changed does not verify", async () => {
    await act("key.create");
    const file = weir.file("audit.jsonl");
    await weir.run(["audit", "export", "--output", file]);
    await writeFile(file, (await readFile(file, "utf8")).replace("laptop", "desktop"));
    const { exitCode, out } = await weir.run(["audit", "verify", "--file", file]);
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: expect.stringContaining("row 1: altered") });
  });

  it("does not write over a file", async () => {
    await writeFile(weir.file("there"), "");
    const { exitCode, err } = await weir.run(["audit", "export", "--output", weir.file("there")]);
    expect({ exitCode, err }).toEqual({ exitCode: 2, err: expect.stringContaining("it exists already") });
  });
});

describe("weir audit public-key", () => {
  it("prints the key as PEM", async () => {
    expect((await weir.run("audit public-key")).out).toMatch(
      /^-----BEGIN PUBLIC KEY-----\n[^]+-----END PUBLIC KEY-----\n$/,
    );
    expect((await weir.run("audit public-key --json")).json()).toMatchObject({ key_id: weir.auditSigner.keyId });
  });
});

describe("weir audit retain", () => {
  it("removes what has expired, and the rest verifies", async () => {
    await act("sign_in.complete");
    weir.clock.advance(91 * DAY_MS);
    const dry = await weir.run("audit retain --dry-run");
    const { out, exitCode } = await weir.run(["audit", "retain", "--reason", "tidy"]);

    expect(dry.out).toBe(
      "org_1/security: 1 rows from before 2026-11-21T12:00:00.000Z would be removed, up to row 1.\n",
    );
    expect({ out, exitCode }).toMatchObject({ exitCode: 0, out: expect.stringContaining("1 rows from before") });
    expect((await weir.run("audit retain")).out).toBe("Nothing has expired.\n");
    expect((await weir.run("audit verify")).exitCode).toBe(0);
    expect((await weir.run("audit list --json")).json()).toMatchObject({
      rows: [{ action: "audit.retain", actor: "cli:ada", reason: "tidy", after: { removed: 1 } }],
    });
  });
});

describe("keys, when the audit trail cannot be written,", () => {
  const broken: AuditTrail = { record: (given) => Promise.reject(new AuditUnavailable(given, new Error("disk full"))) };

  it("are not created, rotated or revoked", async () => {
    await weir.run("keys create --name laptop");
    const before = await weir.records.load();
    weir.auditTrail = broken;
    const lines = ["keys create --name other", "keys rotate laptop", "keys revoke laptop --yes"];
    for (const line of lines) {
      const { exitCode, err, out } = await weir.run(line);
      expect({ exitCode, out }).toEqual({ exitCode: 3, out: "" });
      expect(err).toContain("is refused, because its audit row cannot be written: disk full");
    }
    expect(await weir.records.load()).toEqual(before);
  });
});
