import { z } from "zod";

/** What Weir knows of a field beyond its type. */
export interface FieldMark {
  /**
   * `whole`: the value is a secret and is never shown. `url`: a URL of which user, password and query are never shown.
   */
  readonly secret?: "whole" | "url";
  /** A path in the file system; a relative one counts from the file that says it. */
  readonly filePath?: true;
  /** A file that others rewrite all the time and that is reread whenever it is used: a change of it is no reload. */
  readonly rereadInUse?: true;
}

/** Marks of fields, kept apart from descriptions so that they do not leak into generated documents. */
export const fieldMarks = z.registry<FieldMark>();
