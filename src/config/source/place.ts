/** Where a setting was written. Lines and columns count from 1; they are null when the setting is in no file. */
export interface Place {
  /** For people: the file, `environment variable WEIR_PORT`, `command line`, `profile prod`, `built-in default`. */
  readonly origin: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
}

/** A place outside any file. */
export function placeOutsideFiles(origin: string): Place {
  return { origin, file: null, line: null, column: null };
}
