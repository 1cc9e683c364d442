import { InvalidArgumentError, Option, type Command } from "commander";

import { isCidr } from "../../config/ip-address.ts";
import { didYouMean } from "../../config/did-you-mean.ts";
import { ENDPOINTS } from "../../gateway/endpoints.ts";
import { KEY_CLASSES, type KeyClass } from "../../message/principal.ts";
import type { BudgetWindow } from "../../store/ports/directory.ts";
import { listOf, positiveUsd, wholeNumber } from "../options/option-parser.ts";
import { parseMoment, type Moment } from "../options/parse-moment.ts";
import { parseSpan, type Span } from "../options/parse-span.ts";
import { emailOption, nameOption } from "../options/text-option.ts";

/** When a key expires: a span from now, or a moment. */
export type Expiry = { readonly span: Span } | { readonly moment: Moment };

/** What `keys create` may be told about the key. Amounts are micro-dollars. */
export interface KeyOptions {
  readonly name?: string;
  readonly class: KeyClass;
  readonly org?: string;
  readonly team?: string;
  readonly createTeam?: boolean;
  readonly user?: string;
  readonly email?: string;
  readonly models?: readonly string[];
  readonly endpoints?: readonly string[];
  readonly addresses?: readonly string[];
  readonly expires?: Expiry;
  readonly rpm?: number;
  readonly tpm?: number;
  readonly concurrency?: number;
  readonly budgetDay?: number;
  readonly budgetWeek?: number;
  readonly budgetMonth?: number;
  readonly budgetTotal?: number;
}

/** Names of the endpoints that a key may be confined to: those that take a key. */
const SCOPED_ENDPOINTS: readonly string[] = [
  ...new Set(ENDPOINTS.filter(({ open }) => open !== true).map(({ name }) => name)),
];

const MAX_RATE = 1_000_000_000;

export function addKeyOptions(command: Command): Command {
  const classes = new Option("--class <class>", "kind of key; it becomes part of the key").choices(KEY_CLASSES);
  return (
    command
      // Checked in planKey: commander would complain of its absence before a misspelling of it.
      .option("--name <name>", "what the key is for, for people; required", nameOption)
      .addOption(classes.default("dev"))
      .option("--org <organisation>", "organisation, by name or id; needed when there are several")
      .optionsGroup("Who pays:")
      .option("--user <user>", "user, by name, e-mail or id; created when absent and --email is given", nameOption)
      .option("--email <address>", "e-mail address of a user to create", emailOption)
      .option("--team <team>", "team, by name or id (default: the user's)", nameOption)
      .option("--create-team", "create the team when there is none of that name")
      .optionsGroup("What it may do (default: everything):")
      .option("--models <list>", "models, * stands for anything: claude-haiku-*,claude-sonnet-5", listOf(modelPattern))
      .option("--endpoints <list>", `endpoints: ${SCOPED_ENDPOINTS.join(", ")}`, listOf(endpointName))
      .option("--addresses <list>", "client addresses or CIDR ranges: 10.0.0.0/8,192.0.2.7", listOf(addressRange))
      .option("--expires <when>", "span or date: 90d, 1y, 2027-01-31", expiryOption)
      .optionsGroup("Limits (default: the configuration's):")
      .option("--rpm <n>", "requests per minute", wholeNumber(1, MAX_RATE))
      .option("--tpm <n>", "tokens per minute, in and out", wholeNumber(1, MAX_RATE))
      .option("--concurrency <n>", "requests at the same time", wholeNumber(1, MAX_RATE))
      .option("--budget-day <usd>", "hard budget per day", positiveUsd)
      .option("--budget-week <usd>", "hard budget per week", positiveUsd)
      .option("--budget-month <usd>", "hard budget per month", positiveUsd)
      .option("--budget-total <usd>", "hard budget for the key's whole life", positiveUsd)
      .optionsGroup("Options:")
  );
}

/** The budgets that the options ask for. */
export function budgetsOf(options: KeyOptions): { window: BudgetWindow; limitMicroUsd: number }[] {
  const windows: [BudgetWindow, number | undefined][] = [
    ["day", options.budgetDay],
    ["week", options.budgetWeek],
    ["month", options.budgetMonth],
    ["total", options.budgetTotal],
  ];
  return windows.flatMap(([window, limitMicroUsd]) => (limitMicroUsd === undefined ? [] : [{ window, limitMicroUsd }]));
}

/** Reads `--expires`. */
export function expiryOption(text: string): Expiry {
  try {
    return /^\s*\d+\s*[a-z]+\s*$/i.test(text) ? { span: parseSpan(text) } : { moment: parseMoment(text) };
  } catch (error) {
    if (error instanceof RangeError) throw new InvalidArgumentError("Write a span (90d, 1y) or a date (2027-01-31).");
    throw error;
  }
}

function modelPattern(entry: string): string {
  if (/^[\w.:/@[\]*-]{1,256}$/.test(entry)) return entry;
  throw new RangeError(
    `${JSON.stringify(entry)} is no model name; write for example claude-haiku-* or claude-sonnet-5`,
  );
}

function endpointName(entry: string): string {
  if (SCOPED_ENDPOINTS.includes(entry)) return entry;
  const [similar] = didYouMean(entry, SCOPED_ENDPOINTS);
  const hint = similar === undefined ? "" : `did you mean ${similar}? `;
  throw new RangeError(`${JSON.stringify(entry)} is no endpoint; ${hint}there are ${SCOPED_ENDPOINTS.join(", ")}`);
}

function addressRange(entry: string): string {
  if (isCidr(entry)) return entry;
  throw new RangeError(`${JSON.stringify(entry)} is no IP address or CIDR range; write for example 10.0.0.0/8`);
}
