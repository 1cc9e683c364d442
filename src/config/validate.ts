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
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(path, key, tree));
  const written = treeAt(tree, path);
  const isReferenced = written?.kind === "scalar" && written.references.length > 0;
  const explanation = explainIssue(issue, {
    written: isNull(written) ? undefined : written,
    mayQuote: isShowable(configSchema, path) && !isReferenced,
    description: schemasDescription(path, tree),
    isWhole: schemasAt(configSchema, path, tree).some((schema) => schema instanceof z.ZodNumber && schema.isInt),
  });
  return [{ severity: "error", path, atKey: issue.code === "invalid_key", ...explanation }];
}

function unknownKey(parent: Path, key: string, tree: Tree): Finding {
  const siblings = keysAt(configSchema, parent, tree);
  const where = parent.length === 0 ? "at the top level" : `in ${formatPath(parent)}`;
  return {
    severity: "error",
    code: "unknown_key",
    path: [...parent, key],
    message: `${JSON.stringify(showableKey(key))} is no setting ${where}`,
    fix: unknownKeyFix(parent, key, siblings),
    atKey: true,
  };
}

function unknownKeyFix(parent: Path, key: string, siblings: readonly string[]): string {
  const kinds = kindsWith([...parent, key]);
  if (kinds.length > 0) return `Remove it; it belongs to ${kinds.join(", ")}.`;
  const near = didYouMean(key, siblings);
  if (near.length > 0) return `Did you mean ${near.join(" or ")}? Otherwise remove it.`;
  const elsewhere = fieldsNamed(key);
  if (elsewhere.length > 0) return `Move it: ${elsewhere.join(" or ")} exists. Otherwise remove it.`;
  return siblings.length === 0 ? "Remove it." : `Remove it. Known keys here: ${siblings.toSorted().join(", ")}.`;
}

/** The kinds that have a setting at this very path, for one that stands in an entry of another kind. */
function kindsWith(path: Path): string[] {
  const declared = declaredPath(path);
  const fields = CONFIG_FIELDS.filter((field) => field.path === declared && field.variant !== null);
  const kinds = fields.map(({ variant, subvariant }) => {
    const isInSeveral = fields.some((other) => other.variant === variant && other.subvariant !== subvariant);
    return [variant, isInSeveral ? null : subvariant].filter((kind) => kind !== null).join(" with ");
  });
  return [...new Set(kinds)];
}

/** Paths of settings with exactly this name anywhere, for a key that stands in the wrong place. */
function fieldsNamed(key: string): string[] {
  const paths = CONFIG_FIELDS.map((field) => field.path);
  return [...new Set(paths.filter((path) => path.endsWith(`.${key}`)))].slice(0, 3);
}

function schemasDescription(path: Path, tree: Tree): string {
  // Descriptions hang on the wrapped schema, which the parent's shape holds: ask by the declared path.
  const declared = declaredPath(path);
  const fields = CONFIG_FIELDS.filter((candidate) => candidate.path === declared);
  const field = fields.find(({ variant, subvariant }) => isWritten(variant) && isWritten(subvariant)) ?? fields[0];
  return (
    field?.description ?? schemasAt(configSchema, path, tree).find((schema) => schema.description)?.description ?? ""
  );

  /** Whether a kind such as `provider: bedrock` is what an entry on the way says of itself. */
  function isWritten(kind: string | null): boolean {
    if (kind === null) return true;
    const [name = "", value] = kind.split(": ");
    return path.some((_, i) => {
      const part = treeAt(tree, [...path.slice(0, i), name]);
      return part?.kind === "scalar" && part.value === value;
    });
  }
}

function declaredPath(path: Path): string {
  return path
    .map((step) => (typeof step === "number" ? "[]" : `.${step}`))
    .join("")
    .replace(/^\./, "");
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
