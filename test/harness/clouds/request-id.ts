import { randomBytes } from "node:crypto";

/** A request id as providers write them: a prefix and random letters and digits. */
export function newRequestId(prefix: string): string {
  return prefix + randomBytes(12).toString("hex");
}
