import { isDeepStrictEqual } from "node:util";

import type { Config } from "./schema.ts";
import { formatPath, type Path } from "./source/path.ts";

/**
 * Settings that are fixed when Weir starts: sockets, the data directory, the database, and what stored keys depend on.
 * Everything else takes effect on reload.
 */
export const RESTART_SETTINGS: readonly Path[] = [
  ["data_dir"],
  ["listen", "host"],
  ["listen", "port"],
  ["listen", "tls", "client_auth"],
  ["admin_listen"],
  ["store"],
  ["journal"],
  ["audit", "signing_key"],
  ["audit", "sign_interval_ms"],
  ["security", "key_pepper"],
  ["limits", "max_request_header_bytes"],
];

/** Paths of the settings that differ between two configurations and need a restart. */
export function settingsNeedingRestart(running: Config, next: Config): string[] {
  const changed = RESTART_SETTINGS.filter((path) => !isDeepStrictEqual(valueAt(running, path), valueAt(next, path)));
  const tlsIsSwitched = (running.listen.tls === undefined) !== (next.listen.tls === undefined);
  const paths = changed.filter((path) => !(tlsIsSwitched && path[1] === "tls"));
  return [...paths, ...(tlsIsSwitched ? [["listen", "tls"]] : [])].map(formatPath);
}

/**
 * `next` with the running values of all settings that need a restart: what is really in effect after a reload, so that
 * no part of Weir is told of a port or database that it does not have.
 */
export function keepRestartSettings(running: Config, next: Config): Config {
  const tlsIsSwitched = (running.listen.tls === undefined) !== (next.listen.tls === undefined);
  const kept: readonly Path[] = tlsIsSwitched ? [...RESTART_SETTINGS, ["listen", "tls"]] : RESTART_SETTINGS;
  const result = kept.reduce<unknown>((config, path) => withValue(config, path, valueAt(running, path)), next);
  // Each replaced value comes from a configuration at the same path, so the shape is a configuration's.
  return result as Config;
}

/** Paths of all settings that differ, as deep as maps go; lists count as one setting. */
export function changedSettings(before: unknown, after: unknown, path: Path = []): string[] {
  if (isMap(before) && isMap(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => changedSettings(before[key], after[key], [...path, key]));
  }
  return isDeepStrictEqual(before, after) ? [] : [formatPath(path)];
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce((here, step) => (isMap(here) ? here[String(step)] : undefined), value);
}

function withValue(value: unknown, [step, ...rest]: Path, replacement: unknown): unknown {
  if (step === undefined) return replacement;
  if (!isMap(value)) return value;
  const { [String(step)]: old, ...others } = value;
  const member = withValue(old, rest, replacement);
  return member === undefined ? others : { ...others, [String(step)]: member };
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
