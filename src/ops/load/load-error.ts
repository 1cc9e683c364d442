/** Why a load test could not be done; the command line turns each into an exit code. */
export type LoadErrorKind =
  /** An option, plan, trace or report file is wrong. */
  | "usage"
  /** The target may not be loaded, or the plan is beyond its caps. */
  | "refused"
  /** Two reports were measured under different plans. */
  | "incompatible"
  /** Nothing could be measured: the target does not answer as a Messages endpoint. */
  | "unreachable";

/** An error for the person at the terminal: what is wrong, and how to put it right. */
export class LoadError extends Error {
  readonly kind: LoadErrorKind;
  readonly fix: string;

  constructor(kind: LoadErrorKind, message: string, fix: string) {
    super(message);
    this.name = "LoadError";
    this.kind = kind;
    this.fix = fix;
  }
}
