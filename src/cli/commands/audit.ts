import type { Command } from "commander";

import { defineCommand, type Host } from "../define-command.ts";
import { auditExportCommand } from "./audit-export.ts";
import { auditListCommand } from "./audit-list.ts";
import { auditPublicKeyCommand } from "./audit-public-key.ts";
import { auditRetainCommand } from "./audit-retain.ts";
import { auditVerifyCommand } from "./audit-verify.ts";

/** `weir audit`. */
export function auditCommand(host: Host): Command {
  return defineCommand({
    name: "audit",
    summary: "who did what: list, verify, export, retain",
    examples: [{ line: "weir audit list --last 7d" }, { line: "weir audit verify" }],
  })
    .addCommand(auditListCommand(host))
    .addCommand(auditVerifyCommand(host))
    .addCommand(auditExportCommand(host))
    .addCommand(auditPublicKeyCommand(host))
    .addCommand(auditRetainCommand(host));
}
