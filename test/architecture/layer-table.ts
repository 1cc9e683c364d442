/** A folder of src/ and what it is for. */
export interface LayerFolder {
  readonly folder: string;
  readonly holds: string;
}

/**
 * The floors of the house, top first. A folder imports only from folders on lines below its own, never from a sibling on the
 * same line. test/architecture/layers.test.ts enforces this table, and ARCHITECTURE.md shows it.
 */
export const LAYERS: readonly (readonly LayerFolder[])[] = [
  [{ folder: "app", holds: "the composition root: creates every component and wires adapters to ports" }],
  [
    { folder: "cli", holds: "the `weir` command: one file a command" },
    {
      folder: "control",
      holds: "the API beside inference: sign-in, managed settings, spend limits, clients' telemetry",
    },
  ],
  [
    { folder: "gateway", holds: "the hot path: pipeline, stages, relay, batches and files, the simple API" },
    { folder: "ops", holds: "load tests; signals, detectors and remedies to come" },
    { folder: "rollout", holds: "experiments and canaries (to come)" },
    { folder: "blueprint", holds: "deployments and their artefacts (to come)" },
  ],
  [
    {
      folder: "routing",
      holds: "where a request goes and where next: strategies, health, retries, affinity, deployments, overload; pure",
    },
    { folder: "policy", holds: "what admits, queues or refuses an exchange: access, rate, budget answers" },
  ],
  [
    {
      folder: "upstream",
      holds:
        "providers as data rows, their credentials, probes and connections: proxies, TLS, address guard; the sandbox",
    },
    {
      folder: "identity",
      holds: "keys and sessions: their form, their hashes, finding the principal behind one; OIDC, device sign-in",
    },
    { folder: "ledger", holds: "journal, budgets, prices, the shipper, audit chains, reports, reconciliation" },
    { folder: "telemetry", holds: "metrics, logs" },
  ],
  [{ folder: "store", holds: "ports (interfaces) and their adapters: PostgreSQL, memory; the embedded server" }],
  [{ folder: "config", holds: "schema, loading, profiles, rules, hot reload" }],
  [
    {
      folder: "wire",
      holds: "formats on the wire and their codecs: Messages, Bedrock, Vertex, OpenAI's; streams and frames; pure",
    },
  ],
  [{ folder: "message", holds: "canonical facts: usage, entries, principals, model names; pure" }],
  [{ folder: "core", holds: "clock, ids, money, errors, small data structures; imports nothing" }],
];

/**
 * Folders of store/ that hold adapters: imported by `app` alone, and by each other. Everything else in store/ is a port or a
 * plain type, which anyone above may import.
 */
export const STORE_ADAPTERS: readonly string[] = ["embedded", "memory", "postgres"];

/** Non-blank lines that a file may have. Tests may have more: they are tables of cases. */
export const MAX_FILE_LINES = 500;

/** Names that say nothing of what is in a file. */
export const VAGUE_NAMES: readonly string[] = [
  "index.ts",
  "utils.ts",
  "util.ts",
  "helpers.ts",
  "helper.ts",
  "common.ts",
  "misc.ts",
];
