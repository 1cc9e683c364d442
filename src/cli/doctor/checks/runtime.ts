import type { Config } from "../../../config/schema.ts";
import type { Check } from "../examination.ts";
import { fail, type Finding, ok, warn } from "../finding.ts";

const LEAST_NODE_MAJOR = 26;
/** Files that are open besides connections: journal, database, logs, libraries. */
const FILES_BESIDES = 256;

export const nodeCheck: Check = {
  id: "node",
  title: "Node.js",
  run: async () => judgeNode(process.versions.node),
};

/** Judges the version that runs this program. */
export function judgeNode(version: string): Finding {
  const major = Number(version.split(".")[0]);
  if (major >= LEAST_NODE_MAJOR) return ok(version);
  return fail(
    `${version}, but Weir needs ${LEAST_NODE_MAJOR} or newer`,
    "Run npm ci without --omit=optional (it brings a Node of its own), or install a newer Node.",
  );
}

export const openFilesCheck: Check = {
  id: "open_files",
  title: "Open files (ulimit -n)",
  run: (examination) => examination.withConfig((config) => judgeOpenFiles(openFilesLimit(), config.limits)),
};

/** Judges the limit on open files against the connections that may come: each needs one to the client, one upstream. */
export function judgeOpenFiles(
  limit: number | "unlimited" | null,
  limits: Pick<Config["limits"], "max_connections">,
): Finding {
  if (limit === null) return ok("this system does not say");
  if (limit === "unlimited") return ok("unlimited");
  const wanted = 2 * limits.max_connections + FILES_BESIDES;
  if (limit >= wanted) return ok(`${limit}, enough for ${limits.max_connections} connections`);
  return warn(
    `${limit}; limits.max_connections ${limits.max_connections} may need ${wanted}`,
    `Raise it (ulimit -n ${wanted}; LimitNOFILE=${wanted} in a systemd unit), or lower limits.max_connections.`,
  );
}

/** The soft limit of this process. Node has raised it to the hard one at its start. */
function openFilesLimit(): number | "unlimited" | null {
  const report: unknown = process.report.getReport();
  const limits = member(report, "userLimits");
  const soft = member(member(limits, "open_files"), "soft");
  if (soft === "unlimited") return soft;
  return typeof soft === "number" || typeof soft === "string" ? Number(soft) : null;
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
