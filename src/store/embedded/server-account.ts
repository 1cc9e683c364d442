import { EmbeddedPostgresError, USE_EXTERNAL } from "./embedded-postgres-error.ts";
import type { Account } from "./system-process.ts";

/** What decides which account PostgreSQL runs as. */
export interface AccountFacts {
  /** The uid of this process. */
  readonly ownUid: number;
  /** Owner of the database files, when they exist: the server refuses to run as anybody else. */
  readonly clusterOwner: Account | null;
  /** Owner of Weir's data directory. */
  readonly dataDirOwner: Account;
  /** The text of /etc/passwd. */
  readonly passwd: string;
}

/** System accounts that PostgreSQL may run as, best first: a dedicated one before one that other services share. */
const PREFERRED_NAMES = ["weir", "postgres", "_postgres", "nobody"];

/**
 * The account that the server runs as; null means this process's own. PostgreSQL refuses to run as root, so root steps
 * down: to the owner of the existing database, else to the owner of the data directory, else to a system account.
 */
export function chooseServerAccount(facts: AccountFacts): Account | null {
  const { ownUid, clusterOwner, dataDirOwner } = facts;
  if (ownUid !== 0) {
    if (clusterOwner === null || clusterOwner.uid === ownUid) return null;
    throw new EmbeddedPostgresError(
      `The database files belong to user id ${clusterOwner.uid}, but Weir runs as ${ownUid}.`,
      `Run Weir as root or as user id ${clusterOwner.uid}, or choose another data directory.`,
    );
  }
  if (clusterOwner !== null && clusterOwner.uid !== 0) return clusterOwner;
  const accounts = parsePasswd(facts.passwd);
  // initdb looks its user up by id, so an owner without a name in /etc/passwd will not do.
  if (dataDirOwner.uid !== 0 && [...accounts.values()].some((known) => known.uid === dataDirOwner.uid))
    return dataDirOwner;
  for (const name of PREFERRED_NAMES) {
    const account = accounts.get(name);
    if (account !== undefined && account.uid > 0) return account;
  }
  throw new EmbeddedPostgresError(
    "PostgreSQL refuses to run as root, and none of the users weir, postgres and nobody exists.",
    `Run Weir as an ordinary user, or create one with: useradd --system weir. ${USE_EXTERNAL}`,
  );
}

/** Accounts by name from passwd(5) lines: name, password, uid, gid, and what does not matter here. */
function parsePasswd(text: string): Map<string, Account> {
  const accounts = new Map<string, Account>();
  for (const line of text.split("\n")) {
    const [name = "", , uid = "", gid = ""] = line.split(":");
    if (/^\d+$/.test(uid) && /^\d+$/.test(gid)) accounts.set(name, { uid: Number(uid), gid: Number(gid) });
  }
  return accounts;
}
