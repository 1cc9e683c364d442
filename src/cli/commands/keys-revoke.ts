import type { Command } from "commander";

import { performAudited } from "../../core/perform-audited.ts";
import type { KeyRecord } from "../../store/ports/directory.ts";
import { addReasonOption, commandAct, type ReasonOption } from "../audit/command-act.ts";
import type { CommonOptions } from "../cli-context.ts";
import { EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import { Names } from "../directory/names.ts";
import { keyEnds } from "../keys/audited-key.ts";
import { findKey } from "../keys/find-key.ts";
import { isoTime, keyDocument } from "../keys/key-document.ts";
import { printable } from "../terminal/text-width.ts";
import { interrupted, withRecords } from "../with-records.ts";

const EXAMPLES = [
  { line: "weir keys revoke laptop", note: "asks first, on a terminal" },
  { line: "weir keys revoke key_01k9z3… --yes" },
  { line: "weir keys revoke wr-prod-3f9a", note: "by the hint that lists and logs show" },
];

interface Options extends CommonOptions, ReasonOption {
  readonly yes?: boolean;
}

/** `weir keys revoke`. */
export function keysRevokeCommand(host: Host): Command {
  const command = defineCommand({
    name: "revoke",
    summary: "revoke a key for good, within a second",
    description:
      "Revokes a key. Every running Weir refuses it within a second. This cannot be undone. A key that leaked can be given by its secret.",
    examples: EXAMPLES,
  });
  command.argument("<key>", "the key's id, hint (wr-prod-3f9a), name, or secret").option("-y, --yes", "do not ask");
  return addInstallationOptions(addReasonOption(command)).action(async (wanted: string, options: Options) =>
    host.finish(await revokeKey(host, wanted, options)),
  );
}

async function revokeKey(host: Host, wanted: string, options: Options): Promise<number> {
  const { context } = host;
  const output = outputFor(host, options);
  return await withRecords(context, options, async ({ directory, hasher, audit }) => {
    const snapshot = await directory.load();
    const names = new Names(snapshot);
    const nowMs = context.clock.nowMs();
    const key = findKey(wanted, { snapshot, hasher, nowMs });
    const about = { names, budgets: snapshot.budgets, nowMs };
    if (key.revokedAtMs !== null) {
      const since = isoTime(key.revokedAtMs);
      output.result({ key: keyDocument(key, about), changed: false }, () => [
        `${titleOf(key, names)} was revoked at ${since} already.`,
      ]);
      return EXIT.ok;
    }
    const asks = context.terminal.isInteractive && options.yes !== true && !output.isJson;
    if (asks) {
      const answer = await context.terminal.confirm(
        `Revoke ${titleOf(key, names)}? Whoever uses it is locked out at once.`,
      );
      if (answer === null) throw interrupted();
      if (!answer) {
        output.note("Nothing was revoked.");
        return EXIT.negative;
      }
    }
    const revokedAtMs = context.clock.nowMs();
    const what = {
      organizationId: key.organizationId,
      action: "key.revoke",
      object: `key:${key.id}`,
      before: keyEnds(key),
      after: keyEnds({ ...key, revokedAtMs }),
    };
    const act = commandAct(context, what, options);
    await performAudited(audit.trail, act, () => directory.revokeKey(key.id, revokedAtMs));
    output.result({ key: keyDocument({ ...key, revokedAtMs }, about), changed: true }, () => [
      `Revoked ${titleOf(key, names)}. Every running Weir refuses it within a second.`,
    ]);
    return EXIT.ok;
  });
}

function titleOf(key: KeyRecord, names: Names): string {
  const user = names.user(key.userId);
  return `key ${printable(key.name)} (${key.hint}…, ${key.id}${user === null ? "" : `, user ${printable(user.name)}`})`;
}
