import type { Command } from "commander";

import { withBudgets } from "../budget/budget-session.ts";
import type { CommonOptions } from "../cli-context.ts";
import { EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import { optionParser } from "../options/option-parser.ts";

const EXAMPLES = [
  { line: "weir budget tag build search", note: "whatever the key build spends counts for the project search" },
  { line: "weir budget tag build --none" },
];

interface Options extends CommonOptions {
  readonly org?: string;
  readonly none?: boolean;
}

const tagArgument = optionParser((text) => {
  if (/^[\w.:/@+-]{1,64}$/.test(text)) return text;
  throw new RangeError("write 1 to 64 letters, digits or . : / @ + _ -, without spaces");
});

/** `weir budget tag`. */
export function budgetTagCommand(host: Host): Command {
  const command = defineCommand({
    name: "tag",
    summary: "make a key count for a project, for good",
    description:
      "Gives a key a project tag: everything it spends counts for the project too, whatever its requests say. Without a tag the command shows the one it has.",
    examples: EXAMPLES,
  });
  command
    .argument("<key>", "the key, by name, hint or id")
    .argument("[tag]", "the project tag", tagArgument)
    .option("--none", "take the key's tag away")
    .option("--org <organisation>", "organisation, by name or id; needed when there are several");
  return addInstallationOptions(command).action(async (key: string, tag: string | undefined, options: Options) =>
    host.finish(await tagKey(host, { key, tag }, options)),
  );
}

async function tagKey(
  host: Host,
  { key, tag }: { readonly key: string; readonly tag: string | undefined },
  options: Options,
): Promise<number> {
  const output = outputFor(host, options);
  return await withBudgets(host, options, async ({ admin, by, organization, spend, subject }) => {
    const { subjectId: keyId, title } = subject({ key });
    const before = spend.keyTags.find((record) => record.keyId === keyId)?.tag ?? null;
    const changes = tag !== undefined || options.none === true;
    const next = options.none === true ? null : (tag ?? before);
    if (changes && next !== before) await admin.setKeyTag({ organizationId: organization.id, keyId, before }, next, by);
    output.result({ key_id: keyId, tag: next, changed: changes && next !== before }, () => [
      next === null ? `${title} counts for no project.` : `${title} counts for the project ${next}.`,
    ]);
    return EXIT.ok;
  });
}
