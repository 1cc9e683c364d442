/** The audit trail of a real Weir: what stands in it, what is refused without it, and that tampering is found. */
import { hash } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ask } from "../harness/http-answer.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";
import { eventually } from "../harness/waiting.ts";
import { WeirProcess } from "../harness/weir-process.ts";

interface Row {
  readonly organization_id: string;
  readonly class: string;
  readonly seq: number;
  readonly actor: string;
  readonly action: string;
  readonly object: string | null;
  readonly result: string;
  readonly address: string | null;
  readonly request_id: string | null;
  readonly reason: string | null;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
}

interface Verdict {
  readonly valid: boolean;
  readonly chains: readonly {
    readonly organization_id: string;
    readonly class: string;
    readonly rows: number;
    readonly heads: number;
    readonly findings: readonly { readonly kind: string; readonly seq: number; readonly message: string }[];
  }[];
}

const CONFIG = { audit: { exchanges: "metadata", sign_interval_ms: 1000 } };

/** Every command is a process of its own, which takes its time on a busy machine. */
const COMMANDS_TIMEOUT_MS = 180_000;

let weir: WeirProcess;

beforeAll(async () => {
  weir = await WeirProcess.start({ config: CONFIG });
});
afterAll(async () => {
  await weir.dispose();
});

/** Runs a command that may fail, as execFile tells of it. */
async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await weir.command(...args)) };
  } catch (error) {
    // What execFile rejects with when the program ends with another code than 0.
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

async function list(...args: string[]): Promise<Row[]> {
  const { stdout } = await weir.command("audit", "list", "--json", ...args);
  return (JSON.parse(stdout) as { rows: Row[] }).rows;
}

async function verify(...args: string[]): Promise<{ code: number; verdict: Verdict }> {
  const { code, stdout } = await run("audit", "verify", "--json", ...args);
  return { code, verdict: JSON.parse(stdout) as Verdict };
}

/** Does to the database what the application cannot: with the triggers off. */
async function tamper(statement: string): Promise<void> {
  await weir.database.query(`set session_replication_role = replica; ${statement}`);
}

describe("the trail", { timeout: COMMANDS_TIMEOUT_MS }, () => {
  it("begins with the start of the process and its first run", async () => {
    const [first, second] = (await list("--org", "installation")).toReversed();

    expect(first).toMatchObject({ action: "process.start", actor: "system", result: "done", seq: 1 });
    expect(first?.object).toContain(`/${weir.pid}`);
    expect(second).toMatchObject({ action: "installation.first_run", actor: "system", result: "done" });
  });

  it("has what the command line does to keys, by whom and why, and no secret", async () => {
    const created = await weir.command("keys", "create", "--name", "laptop", "--reason", "new machine", "--json");
    const { key, secret } = JSON.parse(created.stdout) as { key: { id: string }; secret: string };
    const rotated = await weir.command("keys", "rotate", key.id, "--overlap", "0", "--json");
    const fresh = (JSON.parse(rotated.stdout) as { key: { id: string } }).key;
    await weir.command("keys", "revoke", fresh.id, "--yes", "--reason", "lost");
    const rows = (await list("--action", "key.*")).toReversed();

    expect(rows.map(({ action, object }) => [action, object])).toEqual([
      ["key.create", `key:${key.id}`],
      ["key.rotate", `key:${key.id}`],
      ["key.revoke", `key:${fresh.id}`],
    ]);
    expect(rows[0]).toMatchObject({ actor: expect.stringMatching(/^cli:./), reason: "new machine", before: null });
    expect(rows[0]?.after).toMatchObject({ name: "laptop", class: "dev" });
    expect(rows[1]).toMatchObject({ before: { expires_at: null }, after: { replaced_by: { id: fresh.id } } });
    expect(rows[2]).toMatchObject({ before: { revoked_at: null }, reason: "lost" });
    expect(rows[2]?.after?.["revoked_at"]).toEqual(expect.any(String));
    const text = JSON.stringify(rows);
    expect(text).not.toContain(secret);
    expect(text).not.toMatch(/hmac/i);
  });

  it("has every reload: what was changed, and what was refused", async () => {
    await weir.configure({ config: { ...CONFIG, timeouts: { drain_ms: 4_321 } } });
    await eventually("the reload is in the trail", async () => {
      const rows = await list("--action", "config.reload", "--result", "done");
      return rows.find(({ after }) => JSON.stringify(after?.["settings"]) === '["timeouts.drain_ms"]') ?? null;
    });
    const good = await readFile(path.join(weir.dataDir, "weir.yaml"), "utf8");
    const bad = { ...(JSON.parse(good) as object), nonsense: "sk-ant-hidden" }; // The harness wrote an object.
    await writeFile(path.join(weir.dataDir, "weir.yaml"), JSON.stringify(bad));
    const refused = await eventually("the refusal is in the trail", async () => {
      // Not by a command: it would refuse this configuration as well.
      const [row] = await weir.database.query<{ after: string }>(
        "select after from weir.audit_rows where action = 'config.reload' and result = 'refused'",
      );
      return row ?? null;
    });
    await writeFile(path.join(weir.dataDir, "weir.yaml"), good);

    expect(JSON.parse(refused.after)).toMatchObject({ findings: [{ path: "nonsense" }] });
    expect(refused.after).not.toContain("sk-ant-hidden");
  });

  it("has every exchange, when the policy says so: a digest and numbers, no content", async () => {
    const body = messageBody();
    const answer = await ask(`${weir.url}/v1/messages`, {
      headers: { ...messageHeaders(weir.key), "x-claude-code-agent-id": "agent-7" },
      body,
    });
    expect(answer.status).toBe(200);
    const requestId = String(answer.headers["request-id"]);
    const row = await eventually("the exchange is in the trail", async () => {
      return (await list("--class", "security", "--request", requestId))[0] ?? null;
    });
    const [entry] = await weir.entries((rows) => rows.some(({ exchangeId }) => exchangeId === requestId));

    expect(row).toMatchObject({
      action: "exchange.messages",
      actor: `key:${entry?.keyId}`,
      object: `exchange:${requestId}/1`,
      address: "127.0.0.1",
      result: "done",
    });
    expect(row.after).toMatchObject({
      request_sha256: hash("sha256", JSON.stringify(body), "hex"),
      agent_id: "agent-7",
      status: 200,
      input_tokens: entry?.usage.inputTokens,
      output_tokens: entry?.usage.outputTokens,
      cost_micro_usd: entry?.costMicroUsd,
    });
  });
});

describe("without the trail", { timeout: COMMANDS_TIMEOUT_MS }, () => {
  it("no administrative act happens, and the error says so", async () => {
    const before = await weir.database.query("select id from weir.api_keys");
    await weir.database.query(
      `create function weir.broken() returns trigger language plpgsql as
         $$ begin raise exception 'the disk of the audit trail is gone'; end $$;
       create trigger broken before insert on weir.audit_rows for each statement execute function weir.broken()`,
    );
    const created = await run("keys", "create", "--name", "secretly");
    const key = (await weir.database.query<{ id: string }>("select id from weir.api_keys where revoked_at is null"))[0];
    const revoked = await run("keys", "revoke", key?.id ?? "", "--yes", "--json");
    await weir.configure({ config: { ...CONFIG, timeouts: { drain_ms: 1_234 } } });
    const health = await eventually("the reload is refused", async () => {
      return weir.log.includes("config.reload is refused") ? true : null;
    });
    const running = await weir.command("config", "show", "--json").then(({ stdout }) => stdout);
    await weir.database.query("drop trigger broken on weir.audit_rows; drop function weir.broken()");

    expect(created).toMatchObject({ code: 3, stdout: "" });
    expect(created.stderr).toContain("key.create is refused, because its audit row cannot be written");
    expect(JSON.parse(revoked.stdout)).toMatchObject({ error: { code: "unavailable" } });
    expect(await weir.database.query("select id from weir.api_keys")).toEqual(before);
    expect(await weir.database.query("select 1 from weir.api_keys where revoked_at is null")).not.toEqual([]);
    expect(health).toBe(true);
    expect(running).toContain("1234");
  });
});

describe("the tables", () => {
  it.each([
    ["update weir.audit_rows set actor = 'nobody'", "append-only"],
    ["delete from weir.audit_rows", "without a checkpoint"],
    ["truncate weir.audit_rows", "append-only"],
    ["update weir.audit_heads set seq = 1", "append-only"],
    ["delete from weir.audit_heads", "without a checkpoint"],
    ["delete from weir.audit_checkpoints", "append-only"],
    ["update weir.audit_chains set seq = 0", "only moves on"],
    ["delete from weir.audit_chains", "append-only"],
    ["truncate weir.audit_chains", "append-only"],
  ])("refuse: %s", async (statement, why) => {
    await expect(weir.database.query(statement)).rejects.toThrow(why);
  });
});

describe("a process that ends", { timeout: COMMANDS_TIMEOUT_MS }, () => {
  it("says so, and the next one begins after it", async () => {
    const { pid } = weir;
    await weir.end();
    await weir.begin();
    const acts = (await list("--org", "installation", "--action", "process.*")).toReversed();

    expect(acts.map(({ action }) => action)).toEqual(["process.start", "process.stop", "process.start"]);
    expect(acts[1]?.object).toContain(`/${pid}`);
    expect(acts[2]?.object).toContain(`/${weir.pid}`);
  });
});

describe("weir audit verify", { timeout: COMMANDS_TIMEOUT_MS }, () => {
  it("finds a trail that nobody touched valid and signed", async () => {
    const signed = await eventually("the chains are signed", async () => {
      const { verdict } = await verify();
      return verdict.chains.every(({ heads }) => heads > 0) ? verdict : null;
    });
    expect(signed.valid).toBe(true);
    expect(signed.chains.map(({ class: name }) => name).sort()).toEqual(["audit", "audit", "security"]);
  });

  it("prints for people, too", async () => {
    const { code, stdout } = await run("audit", "verify", "--class", "security");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^valid +org_\w+\/security: rows 1 to \d+/);
  });

  it("exports what can be checked elsewhere with the public key alone, in both forms", async () => {
    const pem = path.join(weir.dataDir, "public.pem");
    await writeFile(pem, (await weir.command("audit", "public-key")).stdout);
    for (const format of ["jsonl", "csv"]) {
      const file = path.join(weir.dataDir, `export.${format}`);
      await weir.command("audit", "export", "--format", format, "--output", file);
      expect(await verify("--file", file, "--public-key", pem)).toMatchObject({ code: 0, verdict: { valid: true } });
      const text = await readFile(file, "utf8");
      await writeFile(`${file}.bad`, text.replace("laptop", "pc"));
      const bad = await verify("--file", `${file}.bad`, "--public-key", pem);
      expect(bad.code).toBe(1);
      expect(bad.verdict.chains.flatMap(({ findings }) => findings)).toMatchObject([{ kind: "altered" }]);
    }
  });

  it("keeps the signing key readable by its owner alone", async () => {
    const { mode } = await stat(path.join(weir.dataDir, "audit-signing-key.pem"));
    expect(mode & 0o777).toBe(0o600);
  });

  it("says exactly which row was altered", async () => {
    const [row] = await list("--action", "key.revoke");
    const where = `organization_id = '${row?.organization_id}' and class = 'audit' and seq = ${row?.seq}`;
    await tamper(`update weir.audit_rows set actor = 'cli:somebody' where ${where}`);
    const { code, verdict } = await verify();
    await tamper(`update weir.audit_rows set actor = '${row?.actor}' where ${where}`);

    expect(code).toBe(1);
    expect(verdict.chains.flatMap(({ findings }) => findings)).toMatchObject([{ kind: "altered", seq: row?.seq }]);
    expect((await verify()).code).toBe(0);
  });

  it("finds rows that were removed at the end, also when every trace of them in the database was", async () => {
    const chain = "organization_id = 'installation' and class = 'audit'";
    const [last] = await weir.database.query<{ seq: number; hash: Buffer }>(
      `select seq, prev as hash from weir.audit_rows where ${chain} order by seq desc limit 1`,
    );
    const seq = last?.seq ?? 0;
    await eventually("the last row is signed", async () => {
      const rows = await weir.database.query(`select 1 from weir.audit_heads where ${chain} and seq = ${seq}`);
      return rows.length > 0 ? true : null;
    });
    await tamper(
      `delete from weir.audit_rows where ${chain} and seq = ${seq};
       delete from weir.audit_heads where ${chain} and seq >= ${seq};
       update weir.audit_chains set seq = ${seq - 1}, head_seq = least(head_seq, ${seq - 1}),
         hash = decode('${last?.hash.toString("hex")}', 'hex') where ${chain}`,
    );
    const { code, verdict } = await verify("--org", "installation");

    expect(code).toBe(1);
    expect(verdict.chains[0]?.findings).toMatchObject([{ kind: "truncated", seq }]);
  });
});
