import { redactUrl } from "../../../config/redact.ts";
import type { Config, UpstreamConfig } from "../../../config/schema.ts";
import type { Upstream } from "../../../upstream/upstream.ts";
import { connectionFailure } from "../../probe-weir.ts";
import { askUpstream, type UpstreamAnswer } from "../ask-upstream.ts";
import type { Check, Examination } from "../examination.ts";
import { fail, type Finding, ok, skip, warn } from "../finding.ts";

const TIMEOUT_MS = 10_000;

/** One check for each upstream. `isOffline` sends nothing anywhere. */
export function upstreamChecks(config: Config, isOffline: boolean): Check[] {
  return config.upstreams.map((upstream) => ({
    id: `upstream:${upstream.name}`,
    title: `Upstream ${upstream.name}`,
    run: async (examination) => {
      if (upstream.provider === "sandbox") return judgeSandbox(config);
      return isOffline ? skip("not asked: --offline") : await examineUpstream(upstream, config, examination);
    },
  }));
}

function judgeSandbox({ profile }: Config): Finding {
  if (profile === "dev") return ok("the built-in sandbox: answers are made up and cost nothing");
  return warn(
    `the built-in sandbox in profile ${profile}: answers are made up`,
    "Set ANTHROPIC_API_KEY, or name real upstreams in the configuration.",
  );
}

async function examineUpstream(
  upstreamConfig: UpstreamConfig,
  config: Config,
  examination: Examination,
): Promise<Finding> {
  const where = "base_url" in upstreamConfig ? redactUrl(upstreamConfig.base_url) : upstreamConfig.name;
  const credentials = examination.sendsCredentials;
  let upstream: Upstream | null = null;
  try {
    upstream = await examination.context.inspect.connectUpstream(upstreamConfig, config);
    return judgeAnswer(await askUpstream(upstream, { credentials, timeoutMs: TIMEOUT_MS }), { where, credentials });
  } catch (error) {
    return judgeFailure(error, where);
  } finally {
    await upstream?.connections.destroy();
  }
}

/** Judges what an upstream answered to a request for its models. */
export function judgeAnswer(
  { status, tookMs }: UpstreamAnswer,
  { where, credentials }: { where: string; credentials: boolean },
): Finding {
  const took = `${Math.round(tookMs)} ms`;
  if (status >= 300 && status < 400) {
    return fail(`${where} redirects (${status}), which Weir does not follow`, "Set base_url to where it redirects to.");
  }
  if (status === 407)
    return fail(`the proxy on the way to ${where} wants credentials`, "Put user and password into the proxy's URL.");
  if (status === 429 || status >= 500) {
    return warn(
      `${where} is reachable but answers ${status} now`,
      "Try again in a minute; see the provider's status page.",
    );
  }
  if (!credentials) return ok(`${where} is reachable (${took}); the credential was not tried`);
  if (status === 401)
    return fail(
      `${where} refuses the credential (401)`,
      "Check the upstream's auth: the key may be wrong, revoked or of another organisation.",
    );
  if (status === 403)
    return fail(
      `${where} does not allow this credential to list models (403)`,
      "Check what the key may do, and whether this address may use it.",
    );
  if (status === 404)
    return warn(`${where} is reachable but knows no /v1/models`, "Check base_url: it must be what stands before /v1.");
  if (status >= 200 && status < 300) return ok(`${where} answers and takes the credential (${took})`);
  return warn(`${where} is reachable but answers ${status}`, "Check base_url.");
}

/** Puts into words why no answer came. */
export function judgeFailure(error: unknown, where: string): Finding {
  const { code, text } = connectionFailure(error);
  const remedy =
    REMEDIES.find(([pattern]) => pattern.test(code))?.[1] ?? "Check base_url, the network and the firewall between.";
  return fail(`${where} cannot be reached: ${text}`, remedy);
}

const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /CERT|SIGNATURE|SELF_SIGNED/,
    "Set network.tls.ca, or this upstream's tls.ca, to the PEM file of the authority (a proxy that inspects TLS has its own).",
  ],
  [
    /ENOTFOUND|EAI_AGAIN/,
    "Check the host in base_url and this machine's DNS. Behind a corporate proxy, set HTTPS_PROXY.",
  ],
  [/TIMEOUT|ETIMEDOUT/, "Check the firewall. Behind a corporate proxy, set HTTPS_PROXY or network.proxy.https_proxy."],
  [/WEIR_ADDRESS_REFUSED/, "Add the address to network.allow_private_upstreams if the upstream is meant to be there."],
];
