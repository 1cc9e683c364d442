import { asCliError } from "../error-report.ts";
import type { Check, Examination } from "./examination.ts";
import { fail, type Finding } from "./finding.ts";

const LONGEST_MS = 30_000;

/** Makes a check. One that breaks or hangs is a failed check, not the end of the examination. */
export async function runCheck(check: Check, examination: Examination, longestMs = LONGEST_MS): Promise<Finding> {
  const { promise: late, resolve } = Promise.withResolvers<Finding>();
  const timer = setTimeout(
    () => resolve(fail(`no result within ${longestMs / 1000} s`, "Look at what this check depends on: it hangs.")),
    longestMs,
  );
  try {
    return await Promise.race([check.run(examination), late]);
  } catch (error) {
    const { message, remedy } = asCliError(error);
    return fail(message, remedy);
  } finally {
    clearTimeout(timer);
  }
}
