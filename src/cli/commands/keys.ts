import type { Command } from "commander";

import { defineCommand, type Host } from "../define-command.ts";
import { keysCreateCommand } from "./keys-create.ts";
import { keysListCommand } from "./keys-list.ts";
import { keysRevokeCommand } from "./keys-revoke.ts";
import { keysRotateCommand } from "./keys-rotate.ts";

/** `weir keys`. */
export function keysCommand(host: Host): Command {
  return defineCommand({
    name: "keys",
    summary: "create, list, revoke and rotate keys",
    examples: [{ line: "weir keys create --name laptop --save" }, { line: "weir keys list" }],
  })
    .addCommand(keysCreateCommand(host))
    .addCommand(keysListCommand(host))
    .addCommand(keysRevokeCommand(host))
    .addCommand(keysRotateCommand(host));
}
