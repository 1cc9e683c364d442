import { z } from "zod";

import { fieldMarks, type FieldMark } from "./fields/mark.ts";
import type { Path } from "./source/path.ts";
import { type Tree, treeAt } from "./source/tree.ts";

/**
 * The schemas that a value at some path may have. Several where the schema is a union and the path alone does not say
 * which option applies; none where the schema knows no such path.
 */
type Candidates = readonly z.ZodType[];

/**
 * The schemas that apply at `path` below `schema`. With the `tree` that was written, only those of the kinds that it names
 * on the way, such as `provider: bedrock`.
 */
export function schemasAt(schema: z.ZodType, path: Path, tree?: Tree): Candidates {
  let here: Candidates = optionsOf(schema, tree);
  for (const [i, step] of path.entries()) {
    const part = tree === undefined ? undefined : treeAt(tree, path.slice(0, i + 1));
    here = here.flatMap((candidate) => childrenOf(candidate, step)).flatMap((child) => optionsOf(child, part));
  }
  return here;
}

/** What marks the field at `path` carries, taken together over all candidates. */
export function markAt(schema: z.ZodType, path: Path): FieldMark {
  return markOf(schemasAt(schema, path));
}

/**
 * Whether a text or number at `path` may be shown: the schema expects one there and marks it as no secret. Where a map or
 * list belongs, a text is a slip, and may be a secret that belongs deeper.
 */
export function isShowable(schema: z.ZodType, path: Path): boolean {
  const candidates = schemasAt(schema, path);
  const isScalar = (candidate: z.ZodType) =>
    !(candidate instanceof z.ZodObject || candidate instanceof z.ZodArray || candidate instanceof z.ZodRecord);
  return candidates.length > 0 && candidates.every(isScalar) && markOf(candidates).secret === undefined;
}

function markOf(candidates: Candidates): FieldMark {
  const marks = candidates.map((candidate) => fieldMarks.get(candidate) ?? {});
  const secret = marks.find((mark) => mark.secret === "whole")?.secret ?? marks.find((mark) => mark.secret)?.secret;
  return {
    ...(secret === undefined ? {} : { secret }),
    ...(marks.some((mark) => mark.filePath) ? { filePath: true } : {}),
    ...(marks.some((mark) => mark.rereadInUse) ? { rereadInUse: true } : {}),
  };
}

/** The keys that a map at `path` may have; with the `tree` that was written, only those of the kind that it names. */
export function keysAt(schema: z.ZodType, path: Path, tree?: Tree): string[] {
  const keys = schemasAt(schema, path, tree).flatMap((candidate) =>
    candidate instanceof z.ZodObject ? Object.keys(candidate.shape) : [],
  );
  return [...new Set(keys)];
}

/** A schema without what says only whether and with which default it may be absent. */
export function unwrap(schema: z.ZodType): z.ZodType {
  let here: unknown = schema;
  while (here instanceof z.ZodOptional || here instanceof z.ZodDefault || here instanceof z.ZodPrefault) {
    here = here.unwrap();
  }
  // Every schema that zod's own factories make is a ZodType; the wrappers are merely typed by their core.
  return here as z.ZodType;
}

function optionsOf(schema: z.ZodType, part?: Tree): z.ZodType[] {
  const bare = unwrap(schema);
  if (!(bare instanceof z.ZodUnion)) return [bare];
  // As above: options are typed by zod's core.
  const options = bare.options.map((option) => option as z.ZodType);
  const named = bare instanceof z.ZodDiscriminatedUnion ? options.filter((option) => isNamed(bare, option, part)) : [];
  return (named.length > 0 ? named : options).flatMap((option) => optionsOf(option, part));
}

/** Whether what was written names this option of a union by its discriminator. */
function isNamed(union: z.ZodDiscriminatedUnion, option: z.ZodType, part: Tree | undefined): boolean {
  const written = part === undefined ? undefined : treeAt(part, [union.def.discriminator]);
  return (
    written?.kind === "scalar" && discriminatorOf(union, option) === `${union.def.discriminator}: ${written.value}`
  );
}

function childrenOf(schema: z.ZodType, step: string | number): z.ZodType[] {
  if (schema instanceof z.ZodObject) {
    const member: unknown = schema.shape[String(step)];
    return member instanceof z.ZodType ? [member] : [];
  }
  if (schema instanceof z.ZodArray && typeof step === "number") return [schema.element as z.ZodType];
  if (schema instanceof z.ZodRecord) return [schema.valueType as z.ZodType];
  return [];
}

/** One setting, as the reference page and hints list it. */
export interface FieldInfo {
  /** For example `upstreams[].auth.api_key`, `admission.teams.<name>.tokens_per_minute`. */
  readonly path: string;
  readonly schema: z.ZodType;
  readonly description: string;
  readonly isRequired: boolean;
  /** Undefined when there is none. */
  readonly defaultValue: unknown;
  readonly mark: FieldMark;
  /** For a member of one kind of a discriminated list: what its discriminator is, such as `provider: sandbox`. */
  readonly variant: string | null;
  /** For a member of a kind within such a kind: the inner discriminator, such as `type: sigv4`. */
  readonly subvariant: string | null;
}

/** Every setting of a schema, containers before their members, in the order declared. */
export function listFields(schema: z.ZodType): Generator<FieldInfo> {
  return fieldsOf(schema, { path: "", variant: null, subvariant: null });
}

/** Where the listing stands. */
type Standing = Pick<FieldInfo, "path" | "variant" | "subvariant">;

function* fieldsOf(schema: z.ZodType, at: Standing): Generator<FieldInfo> {
  if (at.path !== "") yield fieldInfoOf(schema, at);
  const bare = unwrap(schema);
  if (bare instanceof z.ZodArray) yield* membersOf(bare.element as z.ZodType, { ...at, path: `${at.path}[]` });
  else if (bare instanceof z.ZodRecord) {
    yield* membersOf(bare.valueType as z.ZodType, { ...at, path: `${at.path}.<name>` });
  } else yield* membersOf(bare, at);
}

function* membersOf(schema: z.ZodType, at: Standing): Generator<FieldInfo> {
  const bare = unwrap(schema);
  if (bare instanceof z.ZodDiscriminatedUnion) {
    for (const option of bare.options) {
      const kind = discriminatorOf(bare, option);
      const inner = at.variant === null ? { ...at, variant: kind } : { ...at, subvariant: kind };
      yield* membersOf(option as z.ZodType, inner);
    }
  } else if (bare instanceof z.ZodObject) {
    for (const [key, member] of Object.entries<z.ZodType>(bare.shape)) {
      yield* fieldsOf(member, { ...at, path: at.path === "" ? key : `${at.path}.${key}` });
    }
  }
}

function discriminatorOf(union: z.ZodDiscriminatedUnion, option: unknown): string | null {
  const name = union.def.discriminator;
  const literal: unknown = option instanceof z.ZodObject ? option.shape[name] : undefined;
  return literal instanceof z.ZodLiteral ? `${name}: ${String(literal.value)}` : null;
}

function fieldInfoOf(schema: z.ZodType, at: Standing): FieldInfo {
  const fallback = schema.safeParse(undefined);
  return {
    ...at,
    schema,
    description: schema.description ?? "",
    isRequired: !fallback.success,
    defaultValue: fallback.success ? fallback.data : undefined,
    mark: markOf(optionsOf(schema)),
  };
}
