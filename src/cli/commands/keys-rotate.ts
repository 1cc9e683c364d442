import { type Command, Option } from "commander";

import { IdGenerator } from "../../core/id.ts";
import { performAudited } from "../../core/perform-audited.ts";
import { addReasonOption, commandAct, type ReasonOption } from "../audit/command-act.ts";
import { baseUrlOf } from "../base-url.ts";
import type { CommonOptions } from "../cli-context.ts";
import { EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import { Names } from "../directory/names.ts";
import { auditedKey, keyEnds } from "../keys/audited-key.ts";
import { findKey } from "../keys/find-key.ts";
import { isoTime, keyDocument } from "../keys/key-document.ts";
import { keyFilePath } from "../keys/key-file.ts";
import { expiryOption } from "../keys/key-options.ts";
import { planRotation, type Rotation, type RotationOptions, writeRotation } from "../keys/rotate-key.ts";
import { exportLines, saveSecret, secretEnvironment } from "../keys/secret-text.ts";
import { optionParser } from "../options/option-parser.ts";
import { parseSpan, type Span } from "../options/parse-span.ts";
import { printable } from "../terminal/text-width.ts";
import { withRecords } from "../with-records.ts";

const EXAMPLES = [
  { line: "weir keys rotate laptop", note: "the old key works for another 24 hours" },
  { line: "weir keys rotate key_01k9z3… --overlap 7d --expires 90d" },
  { line: "weir keys rotate build --overlap 0 --json | jq -r .secret", note: "the old key ends at once" },
];

const DEFAULT_OVERLAP: Span = { count: 24, unit: "hours" };

interface Options extends CommonOptions, RotationOptions, ReasonOption {
  readonly save?: boolean;
}

/** `weir keys rotate`. */
export function keysRotateCommand(host: Host): Command {
  const command = defineCommand({
    name: "rotate",
    summary: "replace a key; the old one works for a while longer",
    description:
      "Creates a key with the same owner, scopes, limits and budgets, and lets the old one expire after the overlap. Spend against the key's own budgets starts at zero; budgets of its user, team and organisation go on.",
    examples: EXAMPLES,
  });
  const overlap = new Option("--overlap <span>", "how long the old key still works: 24h, 7d, or 0")
    .argParser(optionParser((text) => (text.trim() === "0" ? "none" : parseSpan(text))))
    .default(DEFAULT_OVERLAP, "24h");
  command
    .argument("<key>", "the key's id, hint (wr-prod-3f9a), name, or secret")
    .addOption(overlap)
    .option(
      "--expires <when>",
      "when the new key expires (default: it lives as long as the old one was to)",
      expiryOption,
    )
    .option("--save", "also store the new secret for `weir claude` on this machine");
  return addInstallationOptions(addReasonOption(command)).action(async (wanted: string, options: Options) =>
    host.finish(await rotateKey(host, wanted, options)),
  );
}

async function rotateKey(host: Host, wanted: string, options: Options): Promise<number> {
  const { context } = host;
  const output = outputFor(host, options);
  return await withRecords(context, options, async ({ config, directory, hasher, audit }) => {
    const snapshot = await directory.load();
    const nowMs = context.clock.nowMs();
    const old = findKey(wanted, { snapshot, hasher, nowMs });
    const ids = new IdGenerator(context.clock);
    const rotation = planRotation(old, options, { snapshot, hasher, ids, nowMs });
    const act = commandAct(context, rotationFacts(rotation), options);
    await performAudited(audit.trail, act, () => writeRotation(rotation, directory));
    const { fresh, secret, budgets, oldEndMs } = rotation;
    const baseUrl = baseUrlOf(config);
    const file = options.save === true ? keyFilePath(context.env) : null;
    output.result(
      {
        key: keyDocument(fresh, { names: new Names(snapshot), budgets, nowMs }),
        secret,
        env: secretEnvironment(secret, baseUrl),
        replaced: { id: old.id, hint: old.hint, expires_at: isoTime(oldEndMs) },
        saved_to: file,
      },
      () => [...describe(rotation, nowMs), "", `  ${output.style.bold(secret)}`, "", ...exportLines(secret, baseUrl)],
    );
    await saveSecret(secret, file, output);
    return EXIT.ok;
  });
}

/** For the audit trail: what becomes of the old key, and the new one. */
function rotationFacts({ old, fresh, budgets, oldEndMs }: Rotation) {
  return {
    organizationId: old.organizationId,
    action: "key.rotate",
    object: `key:${old.id}`,
    before: keyEnds(old),
    after: { ...keyEnds({ ...old, expiresAtMs: oldEndMs }), replaced_by: auditedKey(fresh, budgets) },
  };
}

function describe({ old, fresh, budgets, oldEndMs }: Rotation, nowMs: number): string[] {
  return [
    `Created key ${printable(fresh.name)} (${fresh.id}) in place of ${old.hint}… (${old.id}),`,
    oldEndMs <= nowMs ? "which has ended." : `which works until ${isoTime(oldEndMs)}.`,
    ...(fresh.expiresAtMs === null ? [] : [`The new key expires at ${isoTime(fresh.expiresAtMs)}.`]),
    ...(budgets.length === 0 ? [] : ["Its own budgets are the same, with spend starting at zero."]),
  ];
}
