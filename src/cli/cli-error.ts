/** Exit codes of every command. */
export const EXIT = { ok: 0, negative: 1, usage: 2, unavailable: 3, internal: 70, interrupted: 130 } as const;

/** What the exit codes mean, for `--help` and the reference page. */
export const EXIT_MEANINGS: readonly { readonly code: number; readonly meaning: string }[] = [
  { code: EXIT.ok, meaning: "done" },
  {
    code: EXIT.negative,
    meaning: "the finding is negative: invalid configuration, failed check, regression, or a question answered with no",
  },
  { code: EXIT.usage, meaning: "the command line is wrong, or names something that does not exist" },
  { code: EXIT.unavailable, meaning: "what is needed cannot be reached or opened: database, server, file, program" },
  { code: EXIT.internal, meaning: "a defect in Weir" },
  { code: EXIT.interrupted, meaning: "interrupted (Ctrl-C)" },
];

const EXIT_OF_CODE = {
  usage: EXIT.usage,
  not_found: EXIT.usage,
  ambiguous: EXIT.usage,
  conflict: EXIT.usage,
  config_invalid: EXIT.negative,
  unavailable: EXIT.unavailable,
  internal: EXIT.internal,
  interrupted: EXIT.interrupted,
} as const;

export type CliErrorCode = keyof typeof EXIT_OF_CODE;

/**
 * An error for the person (or script) at the command line: what is wrong and where (`message`), how to put it right
 * (`remedy`). `details` goes into `--json` output only.
 */
export class CliError extends Error {
  readonly code: CliErrorCode;
  readonly remedy: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: CliErrorCode, message: string, about: CliErrorFacts) {
    super(message, about.cause === undefined ? undefined : { cause: about.cause });
    this.name = "CliError";
    this.code = code;
    this.remedy = about.remedy;
    this.details = about.details ?? {};
  }

  get exitCode(): number {
    return EXIT_OF_CODE[this.code];
  }
}

export interface CliErrorFacts {
  readonly remedy: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}
