import type { Path } from "./source/path.ts";

/** A problem found by a check, before it is given its place in a file. */
export interface Finding {
  readonly severity: "error" | "warning";
  readonly code: string;
  readonly path: Path;
  readonly message: string;
  readonly fix: string;
  /** Point at the key and not at its value. */
  readonly atKey?: boolean;
  /** Other settings that the finding rests on: if one of them is wrong itself, the finding says nothing. */
  readonly because?: readonly Path[];
}
