import type { AuditAct } from "../../core/audit-act.ts";
import type { CliContext } from "../cli-context.ts";
import { nameOption } from "../options/text-option.ts";
import type { Command } from "commander";

/** Said of an act by the person who does it. */
export interface ReasonOption {
  readonly reason?: string;
}

/** `--reason`, for commands that change something. */
export function addReasonOption(command: Command): Command {
  return command.option("--reason <text>", "why, for the audit trail", nameOption);
}

/** An act of whoever runs this command. */
export function commandAct(
  context: CliContext,
  act: Pick<AuditAct, "organizationId" | "action" | "object" | "before" | "after">,
  { reason }: ReasonOption = {},
): AuditAct {
  const actor = `cli:${context.systemUser}`;
  return { ...act, actor, address: null, requestId: null, result: "done", reason: reason ?? null };
}
