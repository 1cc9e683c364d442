import type { Finding } from "../finding.ts";
import type { Profile } from "../profiles.ts";
import type { Config } from "../schema.ts";
import type { Path } from "../source/path.ts";

/** What a rule may look at. */
export interface RuleInput {
  readonly config: Config;
  readonly profile: Profile;
  /** Whether the text at `path` stands in a file as it is, and did not come out of a `${…}` or the environment. */
  readonly isLiteralInFile: (path: Path) => boolean;
}

/** A check that looks across sections. Pure: what it finds depends on its input alone. */
export type Rule = (input: RuleInput) => readonly Finding[];

/** A finding that is always an error. */
export function refusal(code: string, path: Path, text: { message: string; fix: string }): Finding {
  return { severity: "error", code, path, ...text };
}

/** A finding that never stops Weir. */
export function warning(code: string, path: Path, text: { message: string; fix: string }): Finding {
  return { severity: "warning", code, path, ...text };
}

/** A weak start: refused where the profile is strict, else a warning. */
export function weakStart(profile: Profile, finding: Omit<Finding, "severity">): Finding {
  return { severity: profile.weakStart === "refuse" ? "error" : "warning", ...finding };
}
