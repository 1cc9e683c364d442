import type { LoadResult } from "../../config/load.ts";
import { claudeCodeCheck } from "./checks/claude-code.ts";
import { configCheck, proxiesCheck } from "./checks/configuration.ts";
import { dataDirectoryCheck, permissionsCheck } from "./checks/data-directory.ts";
import { clockCheck, databaseCheck, postgresCheck } from "./checks/database.ts";
import { journalCheck } from "./checks/journal.ts";
import { adminListenerCheck, listenerCheck } from "./checks/listeners.ts";
import { nodeCheck, openFilesCheck } from "./checks/runtime.ts";
import { upstreamChecks } from "./checks/upstream.ts";
import type { Check } from "./examination.ts";

/** The checks in the order in which a person would make them: what others rest on comes first. */
export function allChecks(loaded: LoadResult, { isOffline }: { isOffline: boolean }): Check[] {
  return [
    nodeCheck,
    configCheck,
    dataDirectoryCheck,
    permissionsCheck,
    openFilesCheck,
    listenerCheck,
    adminListenerCheck,
    postgresCheck,
    databaseCheck,
    clockCheck,
    journalCheck,
    proxiesCheck,
    ...(loaded.ok ? upstreamChecks(loaded.config, isOffline) : []),
    claudeCodeCheck,
  ];
}
