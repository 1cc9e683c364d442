import type { z } from "zod";

/** What is wrong with a value and how to mend it; neither may contain the value itself. */
export interface Problem {
  readonly message: string;
  readonly fix: string;
}

/** `schema` with one more check; `check` returns what is wrong, or null. */
export function checked<S extends z.ZodType>(schema: S, check: (value: z.output<S>) => Problem | null): S {
  return schema.check((context) => {
    const problem = check(context.value);
    if (problem === null) return;
    context.issues.push({
      code: "custom",
      input: context.value,
      message: problem.message,
      params: { fix: problem.fix },
    });
  });
}

/** A `Problem` of a member, for checks of whole maps. `path` leads from the map to the member. */
export interface MemberProblem extends Problem {
  readonly path: readonly (string | number)[];
  /** Code of the diagnostic; `invalid_value` unless given. */
  readonly code?: string;
}

/** `schema` with a check that looks at several members at once and may find several problems. */
export function checkedMembers<S extends z.ZodType>(
  schema: S,
  check: (value: z.output<S>) => readonly MemberProblem[],
): S {
  return schema.check((context) => {
    for (const { path, message, fix, code } of check(context.value)) {
      context.issues.push({
        code: "custom",
        input: context.value,
        path: [...path],
        message,
        params: { fix, code: code ?? "invalid_value" },
      });
    }
  });
}

/** The problem of a pair of numbers of which the first, at `path`, may not be above the second, named `other`. */
export function notAbove(low: number, high: number, path: readonly string[], other: string): MemberProblem[] {
  return low <= high
    ? []
    : [{ path, message: `is above ${other}, which is ${high}`, fix: `Lower it, or raise ${other}.` }];
}
