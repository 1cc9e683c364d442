import type { Path } from "../source/path.ts";
import { refusal, type Rule, warning } from "./rule.ts";

const BECAUSE_OF_STORE: readonly Path[] = [["store", "postgres_url"]];

/**
 * Budgets are counted in each process. Several replicas would each grant the whole budget, unless they share their
 * counters, which this version cannot do, with whichever store.
 */
export const budgetsAreNotMultiplied: Rule = ({ config: { replicas, budgets, store } }) => {
  if (replicas === 1 || budgets.length === 0) return [];
  const cause =
    store.postgres_url === undefined
      ? "replicas have no shared store (each would have its own embedded PostgreSQL)"
      : "this version counts budgets in each replica by itself, also on a shared PostgreSQL";
  return [
    {
      ...refusal("budgets_not_shared", ["replicas"], {
        message: `${cause}, so ${replicas} replicas could spend each budget ${replicas} times`,
        fix: "Set replicas to 1, or remove budgets.",
      }),
      because: BECAUSE_OF_STORE,
    },
  ];
};

/** Replicas need one database to agree on keys. */
export const replicasShareStore: Rule = ({ config: { replicas, budgets, store } }) => {
  if (replicas === 1 || store.postgres_url !== undefined || budgets.length > 0) return [];
  return [
    {
      ...refusal("replicas_without_shared_store", ["replicas"], {
        message: "each replica would have its own embedded PostgreSQL, and a key made on one would not work on another",
        fix: "Set store.postgres_url, or replicas to 1.",
      }),
      because: BECAUSE_OF_STORE,
    },
  ];
};

/** Rate limits are counted in each process, too; that is worth knowing, but costs no money. */
export const limitsAreCountedPerReplica: Rule = ({ config: { replicas } }) => {
  if (replicas === 1) return [];
  return [
    warning("limits_per_replica", ["replicas"], {
      message: `admission limits are counted in each replica by itself: together they admit up to ${replicas} times as much`,
      fix: "Divide the limits under admission by the number of replicas, or let the load balancer keep callers on one replica.",
    }),
  ];
};

/** The embedded PostgreSQL has no backup of its own. */
export const prodHasOwnDatabase: Rule = ({ config: { store, profile: name }, profile }) => {
  if (store.postgres_url !== undefined || profile.weakStart !== "refuse") return [];
  return [
    warning("embedded_database", ["store", "postgres_url"], {
      message: `the ${name} profile runs on the embedded PostgreSQL: nothing backs it up, and it lives and dies with this machine`,
      fix: "Set store.postgres_url to a managed PostgreSQL, or back up data_dir.",
    }),
  ];
};
