import type { z } from "zod";

import { didYouMean } from "./did-you-mean.ts";
import { quoted } from "./quoted.ts";
import type { Tree } from "./source/tree.ts";

type Issue = z.core.$ZodIssue;

/** What an issue of the schema means, in our words. */
export interface Explanation {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

/** What the explanation may draw on. */
export interface IssueContext {
  /** What was written; undefined when nothing was. */
  readonly written: Tree | undefined;
  /** Whether the written value may be quoted: it is no secret and came from no `${…}`. */
  readonly mayQuote: boolean;
  /** The field's description, to say what belongs there. */
  readonly description: string;
  /** Whether a number here must be a whole one. */
  readonly isWhole: boolean;
}

/** Explains one issue, except unknown keys. The schema's own messages are not used: they may quote values. */
export function explainIssue(issue: Issue, context: IssueContext): Explanation {
  if (context.written === undefined && issue.code !== "custom") return explainMissing(issue, context);
  switch (issue.code) {
    case "invalid_type":
      return wrong(context, `must be ${typeName(issue.expected, context)}`, hintForType(issue.expected, context));
    case "invalid_value":
      return explainChoice(issue.values.map(String), context);
    case "invalid_union":
      return issue.discriminator === undefined
        ? wrong(context, issue.message)
        : explainChoice(optionsOf(issue), context);
    case "too_small":
      return wrong(context, lowerBound(issue));
    case "too_big":
      return wrong(context, upperBound(issue));
    case "invalid_key":
      return explainKey(issue);
    case "custom":
      return explainCustom(issue);
    case "invalid_format":
    case "not_multiple_of":
    case "unrecognized_keys":
    case "invalid_element":
    default:
      // Kinds that the schema does not produce today; said plainly rather than not at all.
      return wrong(context, "has a form that is not allowed here");
  }
}

const TYPE_NAMES: Readonly<Partial<Record<string, string>>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map of settings",
  record: "a map of names to settings",
};

function typeName(expected: string, { isWhole }: IssueContext): string {
  return (isWhole && expected === "number" ? TYPE_NAMES["int"] : TYPE_NAMES[expected]) ?? expected;
}

function explainMissing(issue: Issue, context: IssueContext): Explanation {
  const choices = issue.code === "invalid_union" ? optionsOf(issue) : [];
  return {
    code: "missing",
    message: choices.length > 0 ? `is missing; it must be ${listOf(choices)}` : "is missing",
    fix: choices.length > 0 ? "Write one of these words." : `Add it. ${context.description}`.trim(),
  };
}

/** The values that the discriminator of a union may have. */
function optionsOf(issue: z.core.$ZodIssueInvalidUnion): string[] {
  return "options" in issue ? (issue.options ?? []).map(String) : [];
}

function explainChoice(choices: readonly string[], context: IssueContext): Explanation {
  const written = scalarText(context);
  const near = written === null ? [] : didYouMean(written, choices);
  const fix = near.length > 0 ? `Did you mean ${listOf(near)}?` : undefined;
  return wrong(context, `must be ${listOf(choices)}`, fix);
}

function explainKey(issue: z.core.$ZodIssueInvalidKey): Explanation {
  const [inner] = issue.issues;
  if (inner?.code === "custom") return explainCustom(inner);
  return { code: "invalid_key", message: "this name is not allowed here", fix: "Choose a name that is not empty." };
}

function explainCustom(issue: z.core.$ZodIssueCustom): Explanation {
  const { fix, code } = issue.params ?? {};
  return {
    code: typeof code === "string" ? code : "invalid_value",
    message: issue.message,
    fix: typeof fix === "string" ? fix : "Correct the value.",
  };
}

function wrong(context: IssueContext, requirement: string, fix?: string): Explanation {
  return {
    code: "invalid_value",
    message: `${requirement}, but is ${describeWritten(context)}`,
    fix: fix ?? `Correct it. ${context.description}`.trim(),
  };
}

/** What was written, as far as it may be said. */
function describeWritten({ written, mayQuote }: IssueContext): string {
  if (written === undefined) return "missing";
  if (written.kind !== "scalar") return written.kind === "list" ? listText(written.items.length) : "a map";
  const source =
    written.references.length > 0 ? ` (from ${written.references.map((name) => `\${${name}}`).join(", ")})` : "";
  if (written.value === "") return `empty${source}`;
  if (!mayQuote)
    return `a ${typeof written.value === "string" ? "text" : typeof written.value} that is not shown here${source}`;
  if (typeof written.value !== "string") return String(written.value);
  return `the text ${quoted(written.value)}`;
}

function listText(length: number): string {
  return length === 0 ? "an empty list" : "a list";
}

function scalarText({ written, mayQuote }: IssueContext): string | null {
  return mayQuote && written?.kind === "scalar" && typeof written.value === "string" ? written.value : null;
}

function lowerBound(issue: z.core.$ZodIssueTooSmall): string {
  if (issue.origin === "string") {
    return issue.minimum === 1 ? "must not be empty" : `must have at least ${issue.minimum} characters`;
  }
  if (issue.origin === "array")
    return `must have at least ${issue.minimum} ${issue.minimum === 1 ? "entry" : "entries"}`;
  return `must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`;
}

function upperBound(issue: z.core.$ZodIssueTooBig): string {
  if (issue.origin === "string") return `must have at most ${issue.maximum} characters`;
  return `must be ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}`;
}

/** YAML 1.2 reads `yes` and `on` as text, which surprises everyone who knows YAML 1.1. */
function hintForType(expected: string, context: IssueContext): string | undefined {
  const written = scalarText(context);
  if (written === null) return undefined;
  if (expected === "boolean" && /^(yes|no|on|off)$/i.test(written)) return "Write true or false.";
  const unit = /^(\d+)\s*[a-z]+$/i.exec(written);
  return unit && /^(int|number)$/.test(expected)
    ? `Write a plain number without unit. ${context.description}`
    : undefined;
}

function listOf(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? "";
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1) ?? ""}`;
}
