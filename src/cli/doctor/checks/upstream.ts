import { redactUrl } from "../../../config/redact.ts";
import type { Config, UpstreamConfig } from "../../../config/schema.ts";
import { WeirError } from "../../../core/weir-error.ts";
import { durationWords } from "../../../routing/words.ts";
import { baseUrlOf } from "../../../upstream/catalogue/configured.ts";
import type { CredentialSource, CredentialStatus } from "../../../upstream/credentials/credential.ts";
import type { Probe } from "../../../upstream/probe/probe-request.ts";
import { type ProbeAnswer, sendProbe } from "../../../upstream/probe/send-probe.ts";
import type { ConnectedUpstream } from "../../cli-context.ts";
import { connectionFailure } from "../../probe-weir.ts";
import { awaitCredential } from "../await-credential.ts";
import type { Check, Examination } from "../examination.ts";
import { fail, type Finding, ok, skip, warn } from "../finding.ts";

const TIMEOUT_MS = 10_000;
/** For a credential whose source is slow; the whole check has half a minute. */
const CREDENTIAL_PATIENCE_MS = 15_000;

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
  { context, sendsCredentials }: Examination,
): Promise<Finding> {
  const where = redactUrl(baseUrlOf(upstreamConfig) ?? upstreamConfig.name);
  let connected: ConnectedUpstream | null = null;
  try {
    connected = await context.inspect.connectUpstream(upstreamConfig, config, { credentials: sendsCredentials });
    const credential = sendsCredentials ? await examineCredential(connected.upstream.credential) : null;
    if (credential !== null && "finding" in credential) return credential.finding;
    const { upstream } = connected;
    const probe = connected.probe ?? ROOT;
    const answer = await sendProbe(upstream, probe, { signed: sendsCredentials, timeoutMs: TIMEOUT_MS });
    const life = credential === null ? null : credentialLife(credential.status, context.clock.nowMs());
    return judgeAnswer(answer, { where, asked: connected.probe, credentials: sendsCredentials, life });
  } catch (error) {
    return judgeFailure(error, where);
  } finally {
    await connected?.close();
  }
}

/** Asked where no call is known that would cost nothing: any answer shows that something is there. */
const ROOT: Probe = { by: "get", path: "/" };

async function examineCredential(
  credential: CredentialSource | null,
): Promise<{ readonly finding: Finding } | { readonly status: CredentialStatus } | null> {
  if (credential === null) return null;
  const status = await awaitCredential(credential, CREDENTIAL_PATIENCE_MS);
  const finding = judgeCredential(status);
  return finding === null ? { status } : { finding };
}

/** Null where there is a valid credential to send. */
export function judgeCredential({ state, failure }: CredentialStatus): Finding | null {
  if (state === "ready" || state === "stale") return null;
  const why = failure === null ? "its source does not answer" : failure.reason;
  return fail(
    `there is no credential to send: ${why}`,
    "Check the upstream's auth, and that this machine may ask where the credential comes from.",
  );
}

/** How long a credential has, in words; null when it does not end. */
export function credentialLife({ expiresAtMs }: CredentialStatus, nowMs: number): string | null {
  if (expiresAtMs === null) return null;
  return `the credential ends in ${durationWords(expiresAtMs - nowMs)} and is renewed before`;
}

/** Judges what an upstream answered when it was asked for something; `asked` null for nothing in particular. */
export function judgeAnswer({ status, tookMs }: ProbeAnswer, question: Question): Finding {
  const { where, asked, credentials, life } = question;
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
  if (asked === null) return ok(`${where} is reachable (${took}); no call is known that would try the credential`);
  if (status >= 200 && status < 300) {
    return ok(`${where} answers and takes the credential (${took})${life === null ? "" : `; ${life}`}`);
  }
  return asked.by === "get"
    ? judgeRefusedGet(status, where, asked.path)
    : judgeRefusedCount(status, where, asked.model);
}

/** What was asked of an upstream, and how. */
export interface Question {
  readonly where: string;
  readonly asked: Probe | null;
  readonly credentials: boolean;
  /** See `credentialLife`. */
  readonly life: string | null;
}

function judgeRefusedGet(status: number, where: string, path: string): Finding {
  const [bare = path] = path.split("?");
  if (status === 403)
    return fail(
      `${where} does not allow this credential to list models (403)`,
      "Check what the key may do, and whether this address may use it.",
    );
  if (status === 404)
    return warn(
      `${where} is reachable but knows no ${bare}`,
      "Check base_url: it must be what stands before the path.",
    );
  return warn(`${where} is reachable but answers ${status}`, "Check base_url.");
}

function judgeRefusedCount(status: number, where: string, model: string): Finding {
  const remedy =
    "Check that the model is enabled for this credential and that its id is right: models[].upstream_model. Requests for other models may work.";
  return warn(`${where} is reachable but does not count tokens for ${model} (${status})`, remedy);
}

/** Puts into words why no answer came. */
export function judgeFailure(error: unknown, where: string): Finding {
  if (error instanceof WeirError) return fail(error.message, error.row.remedy);
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
