import type { Path } from "./source/path.ts";
import { mergeTrees, type Tree, treeAt, treeOf } from "./source/tree.ts";

/** Variables of the process's environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Environment variables that set one setting each, above all files. Where two set the same one, the later row wins. */
export const ENVIRONMENT_SETTINGS: readonly { readonly variable: string; readonly path: Path }[] = [
  { variable: "WEIR_PROFILE", path: ["profile"] },
  { variable: "WEIR_HOST", path: ["listen", "host"] },
  { variable: "WEIR_PORT", path: ["listen", "port"] },
  { variable: "WEIR_DATA_DIR", path: ["data_dir"] },
  // The name that Anthropic's gateway reads.
  { variable: "CLAUDE_GATEWAY_LOG_LEVEL", path: ["log", "level"] },
  { variable: "WEIR_LOG_LEVEL", path: ["log", "level"] },
];

const EMPTY = treeOf({}, "built-in default");

/** The settings that the environment makes. A variable that is set but empty says nothing. */
export function environmentLayer(env: Environment): Tree {
  return ENVIRONMENT_SETTINGS.reduce((layer, { variable, path }) => {
    const value = env[variable];
    return value === undefined || value === "" ? layer : mergeTrees(layer, settingOf(path, value, variable));
  }, EMPTY);
}

/** Proxy settings of the environment, below everything else, unless `network.proxy.from_environment` is false. */
export function proxyLayer(env: Environment, written: Tree): Tree {
  const switched = treeAt(written, ["network", "proxy", "from_environment"]);
  if (switched?.kind === "scalar" && String(switched.value) === "false") return EMPTY;
  let layer = EMPTY;
  for (const name of ["https_proxy", "http_proxy", "no_proxy"]) {
    // The lower-case name comes first, as in curl: some servers let clients set HTTP_PROXY.
    const variable = [name, name.toUpperCase()].find((candidate) => (env[candidate] ?? "") !== "");
    if (variable === undefined) continue;
    const text = env[variable] ?? "";
    const value = name === "no_proxy" ? text.split(/[\s,]+/).filter((entry) => entry !== "") : withScheme(text);
    layer = mergeTrees(layer, settingOf(["network", "proxy", name], value, variable));
  }
  return layer;
}

/** The upstream of a configuration that names none: the Anthropic API where there is a key for it, else the sandbox. */
export function defaultUpstreamLayer(env: Environment, written: Tree): Tree {
  const upstreams = treeAt(written, ["upstreams"]);
  if (upstreams !== undefined && !(upstreams.kind === "scalar" && upstreams.value === null)) return EMPTY;
  const apiKey = env["ANTHROPIC_API_KEY"] ?? "";
  if (apiKey === "") return treeOf({ upstreams: [{ provider: "sandbox" }] }, "built-in default");
  const upstream = { provider: "anthropic", auth: { api_key: apiKey } };
  return treeOf({ upstreams: [upstream] }, "environment variable ANTHROPIC_API_KEY");
}

function settingOf(path: Path, value: unknown, variable: string): Tree {
  const nested = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  return treeOf(nested, `environment variable ${variable}`);
}

/** Proxy variables are often written without scheme. */
function withScheme(text: string): string {
  return text.includes("://") ? text : `http://${text}`;
}
