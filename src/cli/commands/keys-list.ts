import { type Command, Option } from "commander";

import { KEY_CLASSES, type KeyClass } from "../../message/principal.ts";
import type { DirectorySnapshot, KeyRecord } from "../../store/ports/directory.ts";
import type { CommonOptions } from "../cli-context.ts";
import { EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import { requireOrganization, requireRecord } from "../directory/find-record.ts";
import { Names } from "../directory/names.ts";
import { isoTime, keyDocument } from "../keys/key-document.ts";
import { type KeyStatus, keyStatus, statusText } from "../keys/key-status.ts";
import type { Output } from "../output.ts";
import { tableLines } from "../terminal/table.ts";
import { withRecords } from "../with-records.ts";

const EXAMPLES = [
  { line: "weir keys list" },
  { line: "weir keys list --team platform --class ci" },
  { line: "weir keys list --status expired" },
  { line: "weir keys list --all --json | jq -r '.keys[] | [.id, .status] | @tsv'" },
];

interface Options extends CommonOptions {
  readonly org?: string;
  readonly user?: string;
  readonly team?: string;
  readonly class?: KeyClass;
  readonly status?: KeyStatus["state"];
  readonly all?: boolean;
}

/** A key with what the list says of it. */
interface Listed {
  readonly key: KeyRecord;
  readonly status: KeyStatus;
}

/** `weir keys list`. */
export function keysListCommand(host: Host): Command {
  const command = defineCommand({ name: "list", summary: "list keys, newest first", examples: EXAMPLES });
  const states = new Option("--status <status>", "only keys in this state").choices(["active", "expired", "revoked"]);
  command
    .option("--org <organisation>", "organisation, by name or id; needed when there are several")
    .option("--user <user>", "only this user's keys")
    .option("--team <team>", "only keys that count for this team")
    .addOption(new Option("--class <class>", "only keys of this class").choices(KEY_CLASSES))
    .addOption(states)
    .option("--all", "expired and revoked keys as well");
  return addInstallationOptions(command).action(async (options: Options) => host.finish(await listKeys(host, options)));
}

async function listKeys(host: Host, options: Options): Promise<number> {
  const { context } = host;
  const output = outputFor(host, options);
  return await withRecords(context, options, async ({ directory }) => {
    const nowMs = context.clock.nowMs();
    const snapshot = await directory.load();
    const names = new Names(snapshot);
    const matching = filterKeys(snapshot, options, { names, nowMs });
    const shown = matching.filter(({ status }) => isShown(status, options));
    const hidden = matching.length - shown.length;
    output.result(
      {
        keys: shown.map(({ key }) => keyDocument(key, { names, budgets: snapshot.budgets, nowMs })),
        hidden,
      },
      () => listText(shown, { output, names, nowMs, hidden, hasFilter: matching.length < snapshot.keys.length }),
    );
    return EXIT.ok;
  });
}

function filterKeys(
  snapshot: DirectorySnapshot,
  options: Options,
  { names, nowMs }: { names: Names; nowMs: number },
): Listed[] {
  const organization = requireOrganization(snapshot, options.org);
  const inside = <T extends { organizationId: string }>(records: readonly T[]): T[] =>
    records.filter(({ organizationId }) => organizationId === organization.id);
  const seek = (kind: "user" | "team") => ({
    sought: { kind, remedy: `\`weir keys list\` shows the ${kind}s of keys.` },
  });
  const user =
    options.user === undefined
      ? null
      : requireRecord(inside(snapshot.users), options.user, { ...seek("user"), aliases: ({ email }) => [email] });
  const team = options.team === undefined ? null : requireRecord(inside(snapshot.teams), options.team, seek("team"));
  return inside(snapshot.keys)
    .filter((key) => user === null || key.userId === user.id)
    .filter((key) => team === null || names.teamOfKey(key)?.id === team.id)
    .filter((key) => options.class === undefined || key.keyClass === options.class)
    .map((key) => ({ key, status: keyStatus(key, names, nowMs) }))
    .sort((a, b) => b.key.createdAtMs - a.key.createdAtMs || (a.key.id < b.key.id ? 1 : -1));
}

function isShown(status: KeyStatus, options: Options): boolean {
  if (options.status !== undefined) return status.state === options.status;
  return options.all === true || status.state === "active";
}

function listText(
  shown: readonly Listed[],
  about: { output: Output; names: Names; nowMs: number; hidden: number; hasFilter: boolean },
): string[] {
  const { output, names, nowMs, hidden, hasFilter } = about;
  const { style, terminal } = output;
  const rest = hidden === 0 ? [] : [style.dim(`${hidden} expired or revoked not shown; --all shows them`)];
  if (shown.length === 0) {
    const none = hasFilter || hidden > 0 ? "No such keys." : "No keys yet. `weir keys create` makes one.";
    return [none, ...rest];
  }
  const paint = (padded: string, row: number): string => {
    const state = shown[row]?.status.state;
    if (state === "active") return style.green(padded);
    return state === "expired" ? style.yellow(padded) : style.red(padded);
  };
  const lines = tableLines(
    [
      { header: "KEY", cells: shown.map(({ key }) => `${key.hint}…`) },
      { header: "NAME", cells: shown.map(({ key }) => key.name), isFlexible: true },
      { header: "CLASS", cells: shown.map(({ key }) => key.keyClass) },
      { header: "USER", cells: shown.map(({ key }) => names.user(key.userId)?.name ?? "–"), isFlexible: true },
      { header: "TEAM", cells: shown.map(({ key }) => names.teamOfKey(key)?.name ?? "–"), isFlexible: true },
      { header: "STATUS", cells: shown.map(({ status }) => statusText(status, nowMs)), paint },
      { header: "CREATED", cells: shown.map(({ key }) => isoTime(key.createdAtMs).slice(0, 10)) },
      { header: "ID", cells: shown.map(({ key }) => key.id) },
    ],
    { style, columns: terminal.out.columns },
  );
  return [...lines, ...rest];
}
