import { readFileSync, readdirSync } from "node:fs";

export interface ProcessRow {
  readonly pid: number;
  readonly parentPid: number;
  readonly command: string;
}

/** The processes of a gateway, with the database that it brought along told apart. */
export interface ProcessGroups {
  readonly gateway: readonly number[];
  readonly database: readonly number[];
}

/** Every process of the machine, from /proc. One that ends while we look is left out. */
export function readProcessTable(): ProcessRow[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [parseStat(readFileSync(`/proc/${name}/stat`, "latin1"))];
      } catch {
        return [];
      }
    });
}

/** Reads one line of /proc/PID/stat; the command may hold spaces and brackets, so fields count from its last bracket. */
export function parseStat(line: string): ProcessRow {
  const open = line.indexOf("(");
  const close = line.lastIndexOf(")");
  const parentPid = Number(line.slice(close + 2).split(" ")[1]);
  return { pid: Number(line.slice(0, open)), parentPid, command: line.slice(open + 1, close) };
}

/** `rootPid` and all below it; a process called postgres and everything below that one belong to the database. */
export function groupProcesses(rows: readonly ProcessRow[], rootPid: number): ProcessGroups {
  const children = Map.groupBy(rows, (row) => row.parentPid);
  const gateway: number[] = [];
  const database: number[] = [];
  const visit = (row: ProcessRow, inDatabase: boolean): void => {
    const isDatabase = inDatabase || row.command === "postgres";
    (isDatabase ? database : gateway).push(row.pid);
    for (const child of children.get(row.pid) ?? []) visit(child, isDatabase);
  };
  const root = rows.find((row) => row.pid === rootPid);
  if (root) visit(root, false);
  return { gateway, database };
}
