import { formatDiagnostic } from "../../../config/diagnostic.ts";
import { redactUrl } from "../../../config/redact.ts";
import type { Config } from "../../../config/schema.ts";
import { baseUrlOf } from "../../../upstream/catalogue/configured.ts";
import { proxyFor } from "../../../upstream/transport/proxy-choice.ts";
import type { Check } from "../examination.ts";
import { fail, type Finding, ok, warn } from "../finding.ts";

export const configCheck: Check = {
  id: "config",
  title: "Configuration",
  async run({ loaded }) {
    const files = loaded.files.length === 0 ? "no file, defaults only" : loaded.files.join(", ");
    if (!loaded.ok) {
      const errors = loaded.diagnostics.filter(({ severity }) => severity === "error");
      const [first] = errors;
      const more = errors.length > 1 ? `\n(and ${errors.length - 1} more)` : "";
      return fail(
        `${first === undefined ? "not valid" : formatDiagnostic(first)}${more}`,
        "`weir config check` shows everything that is wrong.",
      );
    }
    const detail = `profile ${loaded.config.profile} (${files})`;
    const { warnings } = loaded;
    if (warnings.length === 0) return ok(detail);
    return warn(
      `${detail}, ${warnings.length} ${warnings.length === 1 ? "warning" : "warnings"}: ${warnings[0]?.message ?? ""}`,
      "`weir config check` shows the warnings with their remedies.",
    );
  },
};

const VARIABLES = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"];

export const proxiesCheck: Check = {
  id: "proxies",
  title: "Forward proxies",
  run: ({ context, loaded }) => Promise.resolve(describeProxies(context.env, loaded.ok ? loaded.config : null)),
};

/** Says which proxies are configured or in the environment, and which upstreams go through them. Shows no credentials. */
function describeProxies(env: Readonly<Record<string, string | undefined>>, config: Config | null): Finding {
  const seen = VARIABLES.filter((name) => (env[name] ?? "") !== "").map((name) => {
    const value = env[name] ?? "";
    return `${name}=${name.toLowerCase() === "no_proxy" ? value : redactUrl(value.includes("://") ? value : `http://${value}`)}`;
  });
  const inEnvironment = seen.length === 0 ? "none in the environment" : seen.join(", ");
  if (config === null) return ok(inEnvironment);
  const { https_proxy, http_proxy, no_proxy } = config.network.proxy;
  const settings = { httpsProxy: https_proxy ?? null, httpProxy: http_proxy ?? null, noProxy: no_proxy };
  const routes = config.upstreams.flatMap((upstream) => {
    const baseUrl = baseUrlOf(upstream);
    if (upstream.provider === "sandbox" || baseUrl === null) return [];
    const common = proxyFor(new URL(baseUrl), settings);
    const proxy = upstream.proxy === "direct" ? null : (upstream.proxy ?? common);
    return [`${upstream.name}: ${proxy === null ? "direct" : `through ${redactUrl(proxy)}`}`];
  });
  const isIgnored = seen.length > 0 && !config.network.proxy.from_environment;
  const ignored = isIgnored ? " (not used: network.proxy.from_environment is false)" : "";
  return ok([inEnvironment + ignored, ...routes].join("; "));
}
