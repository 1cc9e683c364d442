import type { Finding } from "./finding.ts";
import type { Path } from "./source/path.ts";
import { type Tree, treeAt } from "./source/tree.ts";

/** A part of Anthropic's gateway.yaml that this version of Weir knows but does not have. */
export interface NotBuilt {
  /** What it is, as the subject of a sentence. */
  readonly what: string;
  /** What would silently be the case if Weir took the file and left this part out. */
  readonly ifIgnored: string;
  /** What to do until it is there. */
  readonly instead: string;
}

/** Sections that are known but not built, by name. */
export const NOT_BUILT_SECTIONS: ReadonlyMap<string, NotBuilt> = new Map(
  Object.entries({
    oidc: {
      what: "sign-in through an identity provider",
      ifIgnored: "nobody could sign in through it, and its rules about e-mail domains and groups would not be enforced",
      instead: "give people keys with `weir keys create`",
    },
    session: {
      what: "signing of session tokens",
      ifIgnored: "no session token would be issued or accepted",
      instead: "give people keys with `weir keys create`, with an expiry",
    },
    admin: {
      what: "the spend-limit admin API with its own keys and groups",
      ifIgnored: "its keys would open nothing, and limits that you set through it would not exist",
      instead: "write spend limits under `budgets`",
    },
    enforcement: {
      what: "the choice of what happens to spend limits when the store is unreachable",
      ifIgnored: "the choice would not be honoured; Weir always enforces, from memory and its journal",
      instead: "nothing is needed: hard budgets hold while PostgreSQL is away",
    },
    managed: {
      what: "managed settings and model policies by group",
      ifIgnored: "its policies would silently not be enforced, and denied models and tools would be allowed",
      instead: "restrict models with the scopes of keys",
    },
    telemetry: {
      what: "forwarding of clients' OpenTelemetry data",
      ifIgnored: "clients would send telemetry that reaches none of your collectors",
      instead: "scrape the metrics on the admin port",
    },
    rate_limits: {
      what: "rate limits on device sign-in",
      ifIgnored: "the limits would not be enforced",
      instead: "nothing is needed: this version has no device sign-in; `admission` limits inference",
    },
  }),
);

/** The parts of a configuration that this version does not have, each refused with its consequence. */
export function findNotBuilt(tree: Tree): Finding[] {
  return [...NOT_BUILT_SECTIONS]
    .filter(([section]) => isWritten(tree, [section]))
    .map(([section, row]) => refusal([section], row));
}

function isWritten(tree: Tree, path: Path): boolean {
  const part = treeAt(tree, path);
  return part !== undefined && !(part.kind === "scalar" && part.value === null);
}

function refusal(path: Path, row: NotBuilt): Finding {
  return {
    severity: "error",
    code: "not_built_yet",
    path,
    message: `this version of Weir does not have ${row.what}; if it were ignored, ${row.ifIgnored}`,
    fix: `Remove it; until a later version has it: ${row.instead}.`,
    atKey: true,
  };
}
