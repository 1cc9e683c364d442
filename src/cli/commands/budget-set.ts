import type { Command } from "commander";

import { parseUsd } from "../../core/money.ts";
import type { BudgetWindow } from "../../store/ports/directory.ts";
import type { SpendLimitRecord } from "../../store/ports/spend-limits.ts";
import { addSubjectOptions, type SubjectOptions } from "../budget/budget-subject.ts";
import { limitDocument, limitText } from "../budget/budget-document.ts";
import { withBudgets } from "../budget/budget-session.ts";
import type { CommonOptions } from "../cli-context.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import { optionParser } from "../options/option-parser.ts";

const EXAMPLES = [
  { line: "weir budget set --organization --month 5000", note: "all together" },
  { line: "weir budget set --organization --each-user --month 50", note: "each user, unless set otherwise" },
  { line: "weir budget set --team platform --each-user --day 10 --month 100" },
  { line: "weir budget set --user ada --month unlimited", note: "whatever the team has" },
  { line: "weir budget set --tag search --week 200 --soft", note: "alerts only" },
];

/** An amount to set; null for none. */
interface Amount {
  readonly microUsd: number | null;
}

interface Options extends CommonOptions, SubjectOptions {
  readonly day?: Amount;
  readonly week?: Amount;
  readonly month?: Amount;
  readonly total?: Amount;
  readonly soft?: boolean;
}

const amount = optionParser((text): Amount => {
  const written = text.trim().replace(/^\$/, "");
  if (written === "unlimited") return { microUsd: null };
  if (/^\d/.test(written)) return { microUsd: parseUsd(written) };
  throw new RangeError("write an amount in US dollars such as 25 or 12.50, 0 for nothing at all, or unlimited");
});

/** `weir budget set`. */
export function budgetSetCommand(host: Host): Command {
  const command = defineCommand({
    name: "set",
    summary: "set a budget, in force within a second",
    description:
      "Sets or replaces a budget. Every running Weir holds to it within a second. A hard budget refuses what would pass it; a soft one only alerts.",
    examples: EXAMPLES,
  });
  addSubjectOptions(command)
    .optionsGroup("How much, in US dollars, or `unlimited`:")
    .option("--day <usd>", "a day", amount)
    .option("--week <usd>", "a week, from Monday", amount)
    .option("--month <usd>", "a month", amount)
    .option("--total <usd>", "in all", amount)
    .optionsGroup("Options:")
    .option("--soft", "alert, but refuse nothing");
  return addInstallationOptions(command).action(async (options: Options) =>
    host.finish(await setBudget(host, options)),
  );
}

async function setBudget(host: Host, options: Options): Promise<number> {
  const output = outputFor(host, options);
  const amounts = amountsOf(options);
  return await withBudgets(host, options, async ({ admin, by, organization, snapshot, subject }) => {
    const { title, ...chosen } = subject(options);
    const set: SpendLimitRecord[] = [];
    for (const [window, { microUsd }] of amounts) {
      const change = {
        organizationId: organization.id,
        ...chosen,
        window,
        limitMicroUsd: microUsd,
        enforcement: options.soft === true ? ("soft" as const) : ("hard" as const),
        paused: false,
      };
      set.push(await admin.put(change, by));
    }
    output.result({ limits: set.map((limit) => limitDocument(limit, snapshot)) }, () =>
      set.map(({ id, window, limitMicroUsd, enforcement }) => {
        const limit = limitText(limitMicroUsd);
        return `Set ${title}: ${limit} a ${window}${enforcement === "soft" ? ", alerts only" : ""} (${id}).`.replace(
          "a total",
          "in all",
        );
      }),
    );
    return EXIT.ok;
  });
}

function amountsOf({ day, week, month, total }: Options): [BudgetWindow, Amount][] {
  const all: [BudgetWindow, Amount | undefined][] = [
    ["day", day],
    ["week", week],
    ["month", month],
    ["total", total],
  ];
  const amounts = all.flatMap(([window, given]): [BudgetWindow, Amount][] =>
    given === undefined ? [] : [[window, given]],
  );
  if (amounts.length > 0) return amounts;
  throw new CliError("usage", "the command does not say how much", {
    remedy: "Add --day, --week, --month or --total with an amount, for example --month 50.",
  });
}
