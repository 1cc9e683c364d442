import type { ConfigInput, ProfileName } from "./schema.ts";

/** What a profile is: how strict Weir is, and the defaults that differ from the built-in ones. */
export interface Profile {
  readonly description: string;
  /** Whether a weak start (see rules/) is refused or only warned about. */
  readonly weakStart: "refuse" | "warn";
  /** Whether the sandbox may stand among the upstreams. */
  readonly sandbox: "allowed" | "refused";
  readonly defaults: ConfigInput;
}

const LOOPBACK = ["127.0.0.0/8", "::1/128"];

/** The profiles, as data. A setting that is not listed has its built-in default, which is written at its schema. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  dev: {
    description: "One person's machine: reachable from it alone, with a log made for reading, quick to stop.",
    weakStart: "warn",
    sandbox: "allowed",
    defaults: {
      listen: { host: "127.0.0.1" },
      network: { allow_private_upstreams: LOOPBACK },
      limits: { max_connections: 4096 },
      timeouts: { drain_ms: 60_000 },
      journal: { max_backlog_bytes: 256 * 1024 * 1024 },
      log: { format: "pretty" },
    },
  },
  staging: {
    description:
      "A shared installation for trying changes: as prod, but with a detailed log, and weak settings only warn.",
    weakStart: "warn",
    sandbox: "allowed",
    defaults: {
      timeouts: { drain_ms: 120_000 },
      log: { level: "debug" },
    },
  },
  "pre-prod": {
    description:
      "A rehearsal of prod: the same defaults and refusals, but the sandbox is allowed for drills and load tests.",
    weakStart: "refuse",
    sandbox: "allowed",
    defaults: {
      listen: { tls: { min_version: "TLSv1.3" } },
      admission: { key: { requests_per_minute: 600 } },
    },
  },
  prod: {
    description: "The real thing: weak settings are refused.",
    weakStart: "refuse",
    sandbox: "refused",
    defaults: {
      listen: { tls: { min_version: "TLSv1.3" } },
      admission: { key: { requests_per_minute: 600 } },
    },
  },
};
