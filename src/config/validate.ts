import { z } from "zod";

import { CONFIG_FIELDS } from "./config-fields.ts";
import { didYouMean } from "./did-you-mean.ts";
import type { Finding } from "./finding.ts";
import { explainIssue } from "./issue-message.ts";
import { isShowable, keysAt, schemasAt } from "./schema-walk.ts";
import { configSchema } from "./schema.ts";
import { formatPath, type Path, showableKey } from "./source/path.ts";
import { editTree, plainValueOf, type ScalarTree, type Tree, treeAt, treeOf } from "./source/tree.ts";

type Issue = z.core.$ZodIssue;
type Parsed = z.output<typeof configSchema>;

export interface Validation {
  /** The parsed value; null when the tree does not fit the schema. */
  readonly value: Parsed | null;
  readonly findings: readonly Finding[];
}

/**
 * Checks a tree against the schema and says everything that is wrong with it. Text that stands for a number or a
 * boolean because it came out of a `${VAR}` or the environment is taken as such where the schema wants one.
 */
export function validateTree(tree: Tree): Validation {
  let current = tree;
  let result = configSchema.safeParse(plainValueOf(current));
  if (!result.success) {
    current = coerceText(current, result.error.issues);
    if (current !== tree) result = configSchema.safeParse(plainValueOf(current));
  }
  if (result.success) return { value: result.data, findings: [] };
  return { value: null, findings: result.error.issues.flatMap((issue) => findingsOf(issue, current)) };
}

/**
 * The parsed value of a tree without its parts at `bad`, or null where that does not help. Lets the checks that need a
 * whole configuration run beside the errors already found, so that a reader sees all of them at once. An upstream with
 * anything bad in it is replaced by a sandbox of the same name, so that references to it still lead somewhere.
 */
export function parseWithout(tree: Tree, bad: readonly Path[]): Parsed | null {
  const pruned = bad.reduce((rest, path) => {
    const isUpstream = path[0] === "upstreams" && typeof path[1] === "number";
    return isUpstream ? editTree(rest, path.slice(0, 2), standInFor) : editTree(rest, path, () => undefined);
  }, tree);
  return validateTree(pruned).value;
}

function standInFor(upstream: Tree): Tree {
  const written = treeAt(upstream, ["name"]) ?? treeAt(upstream, ["provider"]);
  const name = written?.kind === "scalar" && typeof written.value === "string" ? written.value : undefined;
  return treeOf({ provider: "sandbox", name }, upstream.place.origin);
}

function findingsOf(issue: Issue, tree: Tree): Finding[] {
  const path = issue.path.filter((step) => typeof step !== "symbol");
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(path, key));
  const written = treeAt(tree, path);
  const isReferenced = written?.kind === "scalar" && written.references.length > 0;
  const explanation = explainIssue(issue, {
    written: isNull(written) ? undefined : written,
    mayQuote: isShowable(configSchema, path) && !isReferenced,
    description: schemasDescription(path),
    isWhole: schemasAt(configSchema, path).some((schema) => schema instanceof z.ZodNumber && schema.isInt),
  });
  return [{ severity: "error", path, atKey: issue.code === "invalid_key", ...explanation }];
}

function unknownKey(parent: Path, key: string): Finding {
  const siblings = keysAt(configSchema, parent);
  const near = didYouMean(key, siblings);
  const elsewhere = fieldsNamed(key);
  let fix = siblings.length === 0 ? "Remove it." : `Remove it. Known keys here: ${siblings.toSorted().join(", ")}.`;
  if (near.length > 0) fix = `Did you mean ${near.join(" or ")}? Otherwise remove it.`;
  else if (elsewhere.length > 0) fix = `Move it: ${elsewhere.join(" or ")} exists. Otherwise remove it.`;
  const where = parent.length === 0 ? "at the top level" : `in ${formatPath(parent)}`;
  return {
    severity: "error",
    code: "unknown_key",
    path: [...parent, key],
    message: `${JSON.stringify(showableKey(key))} is no setting ${where}`,
    fix,
    atKey: true,
  };
}

/** Paths of settings with exactly this name anywhere, for a key that stands in the wrong place. */
function fieldsNamed(key: string): string[] {
  const paths = CONFIG_FIELDS.map((field) => field.path);
  return [...new Set(paths.filter((path) => path.endsWith(`.${key}`)))].slice(0, 3);
}

function schemasDescription(path: Path): string {
  // Descriptions hang on the wrapped schema, which the parent's shape holds: ask by the declared path.
  const declared = path
    .map((step) => (typeof step === "number" ? "[]" : `.${step}`))
    .join("")
    .replace(/^\./, "");
  const field = CONFIG_FIELDS.find((candidate) => candidate.path === declared);
  return field?.description ?? schemasAt(configSchema, path).find((schema) => schema.description)?.description ?? "";
}

function coerceText(tree: Tree, issues: readonly Issue[]): Tree {
  let coerced = tree;
  for (const issue of issues) {
    const path = issue.path.filter((step) => typeof step !== "symbol");
    const part = treeAt(coerced, path);
    if (part?.kind !== "scalar" || !part.mayCoerce || typeof part.value !== "string") continue;
    const value = valueMeant(part, typesWanted(issue));
    if (value !== null) coerced = editTree(coerced, path, () => ({ ...part, value }));
  }
  return coerced;
}

function typesWanted(issue: Issue): string[] {
  if (issue.code === "invalid_type") return [issue.expected];
  return issue.code === "invalid_union" ? issue.errors.flat().flatMap(typesWanted) : [];
}

function valueMeant({ value }: ScalarTree, wanted: readonly string[]): number | boolean | null {
  const text = String(value).trim();
  if (wanted.includes("boolean") && /^(true|false)$/.test(text)) return text === "true";
  const isNumber = /^-?\d{1,15}(\.\d{1,15})?$/.test(text);
  return isNumber && wanted.some((type) => type === "number" || type === "int") ? Number(text) : null;
}

function isNull(tree: Tree | undefined): boolean {
  return tree?.kind === "scalar" && tree.value === null;
}
