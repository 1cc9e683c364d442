import type { AwsKeys } from "../aws-keys.ts";
import type { Issued, Issuer } from "../issuer.ts";
import type { TokenNetwork } from "../token-network.ts";

/** Keys without an end, as in a profile, are looked at again this often: someone may have rotated them. */
const REREAD_MS = 15 * 60_000;
/** For the metadata services, which are a few hops away at most. */
const METADATA_TIMEOUT_MS = 2_000;
/** More is the refresher's business. */
const METADATA_RETRIES = 1;

const QUIET = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export interface AwsChainOptions {
  /** Profile of the shared configuration; null for what the environment says. */
  readonly profile: string | null;
  /** Region for STS and SSO, where the profile has none. */
  readonly region: string;
  readonly network: TokenNetwork;
}

/**
 * AWS's default chain: environment, profile (SSO, assumed roles, processes), web identity (IRSA), container, instance
 * metadata. Keys in the environment win over `AWS_PROFILE`, as with AWS's command line.
 */
export class AwsChainIssuer implements Issuer<AwsKeys> {
  readonly what: string;
  readonly fix: string;
  readonly secrets: readonly string[] = [];
  readonly #options: AwsChainOptions;

  constructor(options: AwsChainOptions) {
    this.#options = options;
    this.what = options.profile === null ? "AWS default chain" : `AWS profile ${options.profile}`;
    this.fix =
      options.profile === null
        ? "Give the machine, pod or task a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        : `Check the profile, or sign in again with \`aws sso login --profile ${options.profile}\`.`;
  }

  async issue(): Promise<Issued<AwsKeys>> {
    const { profile, region, network } = this.#options;
    const given = profile === null ? environmentKeys(process.env) : null;
    if (given !== null) return given;
    const { defaultProvider } = await import("@aws-sdk/credential-provider-node");
    const { httpAgent, httpsAgent } = network.nodeAgents();
    try {
      // A new chain each time: the one that the library keeps would hand out what it has until five minutes before its end.
      const provider = defaultProvider({
        ...(profile !== null && { profile }),
        // Someone may have rotated the keys in the file, or signed in again.
        ignoreCache: true,
        timeout: METADATA_TIMEOUT_MS,
        maxRetries: METADATA_RETRIES,
        logger: QUIET,
        clientConfig: { region, requestHandler: { httpAgent, httpsAgent }, maxAttempts: 2 },
      });
      const keys = await provider();
      const { accessKeyId, secretAccessKey, sessionToken = null, expiration } = keys;
      const value = { accessKeyId, secretAccessKey, sessionToken };
      if (expiration === undefined) return { value, expiresAtMs: null, renewAfterMs: REREAD_MS };
      return { value, expiresAtMs: expiration.getTime() };
    } finally {
      httpAgent.destroy();
      httpsAgent.destroy();
    }
  }
}

/** The keys in the environment; they cannot change while the process runs. */
function environmentKeys(env: NodeJS.ProcessEnv): Issued<AwsKeys> | null {
  const accessKeyId = env["AWS_ACCESS_KEY_ID"] ?? "";
  const secretAccessKey = env["AWS_SECRET_ACCESS_KEY"] ?? "";
  if (accessKeyId === "" || secretAccessKey === "") return null;
  const sessionToken = env["AWS_SESSION_TOKEN"] ?? "";
  const value = { accessKeyId, secretAccessKey, sessionToken: sessionToken === "" ? null : sessionToken };
  const expiration = Date.parse(env["AWS_CREDENTIAL_EXPIRATION"] ?? "");
  return { value, expiresAtMs: Number.isNaN(expiration) ? null : expiration };
}
