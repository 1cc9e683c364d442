import { isLoopbackHost } from "../../config/ip-address.ts";
import { parseUrl } from "../../config/fields/network.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Variables that would lead Claude Code past Weir, to a provider of its own. */
const DETOURS = [
  "ANTHROPIC_API_KEY",
  "CLAUDE_CODE_OAUTH_TOKEN",
  "CLAUDE_CODE_USE_BEDROCK",
  "CLAUDE_CODE_USE_VERTEX",
  "CLAUDE_CODE_USE_FOUNDRY",
];
const PROXIES = ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"];

export interface ClaudeEnvironment {
  readonly env: Readonly<Record<string, string>>;
  /** Variables of the caller's that were left out because they would lead past Weir. */
  readonly removed: readonly string[];
}

/** The environment in which Claude Code talks to the Weir at `baseUrl` with `key`. */
export function claudeEnvironment(env: Env, { baseUrl, key }: { baseUrl: string; key: string }): ClaudeEnvironment {
  const isSet = (name: string): boolean => (env[name] ?? "") !== "";
  // The key travels under one name only.
  const dropped = new Set([...DETOURS, "WEIR_KEY"]);
  const kept = Object.entries(env).flatMap(([name, value]): [string, string][] =>
    value === undefined || dropped.has(name) ? [] : [[name, value]],
  );
  const result: Record<string, string> = Object.fromEntries(kept);
  result["ANTHROPIC_BASE_URL"] = baseUrl;
  result["ANTHROPIC_AUTH_TOKEN"] = key;
  const host = parseUrl(baseUrl)?.hostname ?? "";
  if (isLoopbackHost(host) && PROXIES.some(isSet)) {
    // A forward proxy cannot reach this machine's own loopback.
    for (const name of ["NO_PROXY", "no_proxy"]) result[name] = withEntry(env[name], host);
  }
  return { env: result, removed: DETOURS.filter(isSet) };
}

function withEntry(list: string | undefined, host: string): string {
  const entries = (list ?? "").split(",").filter((entry) => entry.trim() !== "");
  return [...new Set([...entries, host])].join(",");
}
