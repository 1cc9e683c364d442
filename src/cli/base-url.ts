import type { Config } from "../config/schema.ts";

/**
 * The address under which clients reach a Weir with this configuration: its `public_url`, else the address it listens on.
 * Null when only the running server knows, because the system chooses the port.
 */
export function baseUrlOf(config: Config): string | null {
  const { public_url, port } = config.listen;
  if (public_url !== undefined) return public_url.replace(/\/+$/, "");
  return port === 0 ? null : localUrlOf(config);
}

/** The address of the listener itself, for a client on this machine. */
export function localUrlOf(config: Config): string {
  const { host, port, tls } = config.listen;
  return `${tls === undefined ? "http" : "https"}://${hostInUrl(host)}:${port}`;
}

/** A host to connect to for one to listen on: every address includes this machine's loopback. */
export function hostInUrl(host: string): string {
  const bare = host.replace(/^\[|\]$/g, "");
  if (bare === "0.0.0.0" || bare === "") return "127.0.0.1";
  if (bare === "::") return "[::1]";
  return bare.includes(":") ? `[${bare}]` : bare;
}
