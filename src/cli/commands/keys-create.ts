import type { Command } from "commander";

import { IdGenerator } from "../../core/id.ts";
import { formatUsd } from "../../core/money.ts";
import { performAudited } from "../../core/perform-audited.ts";
import { addReasonOption, commandAct, type ReasonOption } from "../audit/command-act.ts";
import { baseUrlOf } from "../base-url.ts";
import type { CommonOptions } from "../cli-context.ts";
import { EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import { Names } from "../directory/names.ts";
import { auditedKey } from "../keys/audited-key.ts";
import { type KeyPlan, planKey, unmatchedPatterns, writeKey } from "../keys/create-key.ts";
import { isoTime, keyDocument } from "../keys/key-document.ts";
import { keyFilePath } from "../keys/key-file.ts";
import { addKeyOptions, type KeyOptions } from "../keys/key-options.ts";
import { exportLines, saveSecret, secretEnvironment } from "../keys/secret-text.ts";
import { printable } from "../terminal/text-width.ts";
import { withRecords } from "../with-records.ts";

const EXAMPLES = [
  { line: "weir keys create --name laptop --user ada --email ada@example.com --save" },
  { line: "weir keys create --name build --class ci --team platform --models 'claude-haiku-*' --expires 90d" },
  { line: "weir keys create --name batch --class prod --addresses 10.0.0.0/8 --rpm 600 --budget-month 500" },
  { line: "weir keys create --name tool --json | jq -r .secret", note: "the secret alone, for a script" },
];

interface Options extends CommonOptions, KeyOptions, ReasonOption {
  readonly save?: boolean;
}

/** `weir keys create`. */
export function keysCreateCommand(host: Host): Command {
  const command = defineCommand({
    name: "create",
    summary: "create a key and show it, once",
    description:
      "Creates a key and prints its secret, which is shown this once and stored nowhere, with the two lines that put Claude Code behind Weir.",
    examples: EXAMPLES,
  });
  addInstallationOptions(addReasonOption(addKeyOptions(command)))
    .option(
      "--save",
      "also store the secret for `weir claude` on this machine (~/.config/weir/key, readable by you alone)",
    )
    .action(async (options: Options) => host.finish(await createKey(host, options)));
  return command;
}

async function createKey(host: Host, options: Options): Promise<number> {
  const { context } = host;
  const output = outputFor(host, options);
  return await withRecords(context, options, async (records) => {
    const nowMs = context.clock.nowMs();
    const ids = new IdGenerator(context.clock);
    const plan = planKey(options, { records, snapshot: await records.directory.load(), ids, nowMs });
    for (const pattern of unmatchedPatterns(plan.key.scopes.models, records.config)) {
      output.warn(`no model that Weir knows matches ${pattern}`);
    }
    const { organizationId, id } = plan.key;
    const after = {
      ...auditedKey(plan.key, plan.budgets),
      new_team: plan.newTeam === null ? null : { id: plan.newTeam.id, name: plan.newTeam.name },
      new_user: plan.newUser === null ? null : { id: plan.newUser.id, name: plan.newUser.name },
    };
    const what = { organizationId, action: "key.create", object: `key:${id}`, before: null, after };
    await performAudited(records.audit.trail, commandAct(context, what, options), () => writeKey(plan, records));
    const file = options.save === true ? keyFilePath(context.env) : null;
    const names = new Names(await records.directory.load());
    const baseUrl = baseUrlOf(records.config);
    output.result(
      {
        key: keyDocument(plan.key, { names, budgets: plan.budgets, nowMs }),
        secret: plan.secret,
        env: secretEnvironment(plan.secret, baseUrl),
        created: { team: plan.newTeam?.id ?? null, user: plan.newUser?.id ?? null },
        saved_to: file,
      },
      () => [
        ...describe(plan, names),
        "",
        `  ${output.style.bold(plan.secret)}`,
        "",
        ...exportLines(plan.secret, baseUrl),
      ],
    );
    await saveSecret(plan.secret, file, output);
    return EXIT.ok;
  });
}

function describe({ key, newTeam, newUser, budgets }: KeyPlan, names: Names): string[] {
  const user = names.user(key.userId);
  const team = names.teamOfKey(key);
  const lines: string[] = [];
  if (newTeam !== null) lines.push(`Created team ${printable(newTeam.name)} (${newTeam.id}).`);
  if (newUser !== null) lines.push(`Created user ${printable(newUser.name)} (${newUser.id}).`);
  const owner = user === null ? "" : ` for user ${printable(user.name)}`;
  const payer = team === null ? "" : `${owner === "" ? " for" : " in"} team ${printable(team.name)}`;
  lines.push(`Created key ${printable(key.name)} (${key.id})${owner}${payer}.`);
  const { models, endpoints, addresses } = key.scopes;
  const { requestsPerMinute, tokensPerMinute, maxConcurrent } = key.limits;
  const facts: [string, string | null][] = [
    ["models", joined(models)],
    ["endpoints", joined(endpoints)],
    ["addresses", joined(addresses)],
    ["requests/min", requestsPerMinute === null ? null : String(requestsPerMinute)],
    ["tokens/min", tokensPerMinute === null ? null : String(tokensPerMinute)],
    ["at once", maxConcurrent === null ? null : String(maxConcurrent)],
    ["budget", joined(budgets.map(({ window, limitMicroUsd }) => `$${formatUsd(limitMicroUsd)} ${WINDOWS[window]}`))],
    ["expires", key.expiresAtMs === null ? null : isoTime(key.expiresAtMs)],
  ];
  return [...lines, ...facts.flatMap(([name, value]) => (value === null ? [] : [`  ${name.padEnd(12)}  ${value}`]))];
}

const WINDOWS = { day: "a day", week: "a week", month: "a month", total: "in total" } as const;

function joined(values: readonly string[]): string | null {
  return values.length === 0 ? null : values.join(", ");
}
