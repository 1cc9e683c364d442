import type { RetentionClass } from "../../core/audit-act.ts";

/** Nouns of what happens all the time; everything else is administration. */
const SECURITY_NOUNS = new Set(["exchange", "sign_in", "sign_out", "session", "token", "device", "access"]);

/** The class of an action such as `key.create`. */
export function retentionClassOf(action: string): RetentionClass {
  const [noun = ""] = action.split(".", 1);
  return SECURITY_NOUNS.has(noun) ? "security" : "audit";
}
