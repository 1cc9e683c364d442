import type { z } from "zod";

import { type FieldMark } from "./fields/mark.ts";
import { markAt } from "./schema-walk.ts";
import { configSchema } from "./schema.ts";
import type { Path } from "./source/path.ts";

/** A text of the configuration whose field carries a mark: a secret, or a path in the file system. */
export interface MarkedValue {
  readonly path: Path;
  readonly value: string;
  readonly mark: FieldMark;
}

/** All marked texts of a configuration value. */
export function markedValuesOf(config: unknown): MarkedValue[] {
  const found: MarkedValue[] = [];
  editMarkedValues(config, (marked) => {
    found.push(marked);
    return marked.value;
  });
  return found;
}

/** A copy of a configuration value with each marked text replaced by what `edit` returns. */
export function editMarkedValues<T>(config: T, edit: (marked: MarkedValue) => string): T {
  // The copy has the same shape: only texts are replaced, and only by texts.
  return copyOf(configSchema, config, { path: [], edit }) as T;
}

interface Copying {
  readonly path: Path;
  readonly edit: (marked: MarkedValue) => string;
}

function copyOf(schema: z.ZodType, value: unknown, { path, edit }: Copying): unknown {
  if (Array.isArray(value)) return value.map((item, i) => copyOf(schema, item, { path: [...path, i], edit }));
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).map(([key, member]): [string, unknown] => [
      key,
      copyOf(schema, member, { path: [...path, key], edit }),
    ]);
    return Object.fromEntries(members);
  }
  if (typeof value !== "string") return value;
  const mark = markAt(schema, path);
  return mark.secret === undefined && mark.filePath === undefined ? value : edit({ path, value, mark });
}
