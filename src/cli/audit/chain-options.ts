import { type Command, Option } from "commander";

import { INSTALLATION, type RetentionClass } from "../../core/audit-act.ts";
import type { ChainState } from "../../store/ports/audit.ts";
import type { DirectorySnapshot } from "../../store/ports/directory.ts";
import { requireRecord } from "../directory/find-record.ts";

const CLASSES: readonly RetentionClass[] = ["audit", "security"];

/** Which chains a command is about. */
export interface ChainOptions {
  readonly org?: string;
  readonly class?: RetentionClass;
}

export function addChainOptions(command: Command): Command {
  return command
    .option("--org <organisation>", `only this organisation, by name or id, or ${INSTALLATION} (default: all)`)
    .addOption(new Option("--class <class>", "only rows of this retention class").choices(CLASSES));
}

/** The organisation that the options name; null for all. Throws CliError when there is none of that name. */
export function chosenOrganization(options: ChainOptions, snapshot: DirectorySnapshot): string | null {
  if (options.org === undefined) return null;
  if (options.org === INSTALLATION) return INSTALLATION;
  const remedy = `Give an organisation's name or id, or ${INSTALLATION} for acts that concern all.`;
  return requireRecord(snapshot.organizations, options.org, { sought: { kind: "organisation", remedy } }).id;
}

export function chosenChains(
  chains: readonly ChainState[],
  options: ChainOptions,
  snapshot: DirectorySnapshot,
): ChainState[] {
  const organizationId = chosenOrganization(options, snapshot);
  return chains.filter(
    (chain) =>
      (organizationId === null || chain.organizationId === organizationId) &&
      (options.class === undefined || chain.retentionClass === options.class),
  );
}
