import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import { AwsCredential } from "./aws-credential.ts";
import type { AwsKeys, SigningScope } from "./aws-keys.ts";
import type { CredentialConfig, CredentialKind, EntraSettings } from "./credential-config.ts";
import type { CredentialSource } from "./credential.ts";
import type { Issuer } from "./issuer.ts";
import { AnthropicFederationIssuer, OAUTH_BETA } from "./issuers/anthropic-federation.ts";
import { AwsAssumeRoleIssuer } from "./issuers/aws-assume-role.ts";
import { AwsChainIssuer } from "./issuers/aws-chain.ts";
import { AwsExplicitIssuer } from "./issuers/aws-explicit.ts";
import { type EntraIdentity, EntraIssuer } from "./issuers/entra.ts";
import { GoogleIssuer } from "./issuers/google.ts";
import { TokenFileIssuer } from "./issuers/token-file.ts";
import type { RefresherOptions } from "./refresher.ts";
import type { Scheduler } from "./scheduler.ts";
import { StaticCredential } from "./static-credential.ts";
import { TokenCredential, type TokenHeaders } from "./token-credential.ts";
import { type NetworkSettings, TokenNetwork } from "./token-network.ts";

/** What every credential is made with. */
export interface CredentialContext {
  /** Name of the upstream, for logs and messages. */
  readonly upstream: string;
  readonly network: NetworkSettings;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Gives numbers in [0, 1) that spread renewals. */
  readonly random: () => number;
}

const DEFAULT_SESSION_NAME = "weir";
/** AWS's own default, and the most that a role assumed by a role may have. */
const DEFAULT_ROLE_SECONDS = 3_600;

type Maker<K extends CredentialKind> = (config: CredentialConfig<K>, context: CredentialContext) => CredentialSource;

const MAKERS: { readonly [K in CredentialKind]: Maker<K> } = {
  none: (_config, { upstream }) => new StaticCredential(upstream, []),
  header: ({ header, value }, { upstream }) => new StaticCredential(upstream, [header, value]),
  bearer: ({ token, betas }, { upstream }) =>
    new StaticCredential(upstream, ["authorization", `Bearer ${token}`], betas),
  token_file: ({ path, header }, context) => tokenCredential(new TokenFileIssuer(path, header), context),
  aws_keys: (config, context) => awsCredential(new AwsExplicitIssuer(config), config.scope, context),
  aws_chain: ({ profile, scope }, context) =>
    awsCredential(new AwsChainIssuer({ profile, region: scope.region, network: networkOf(context) }), scope, context),
  aws_assume_role: (config, context) => awsCredential(assumeRole(config, context), config.scope, context),
  google_default: ({ project, tokenUrl }, context) =>
    tokenCredential(new GoogleIssuer({ file: null, project, tokenUrl, network: networkOf(context) }), context),
  google_file: ({ path, project, tokenUrl }, context) =>
    tokenCredential(new GoogleIssuer({ file: path, project, tokenUrl, network: networkOf(context) }), context),
  entra_default: (config, context) => entra("default", { by: "default", ...config }, config, context),
  entra_client_secret: (config, context) => entra("client_secret", { by: "client_secret", ...config }, config, context),
  entra_workload_identity: (config, context) =>
    entra("workload_identity", { by: "workload_identity", ...config }, config, context),
  entra_managed_identity: (config, context) =>
    entra("managed_identity", { by: "managed_identity", ...config }, config, context),
  anthropic_federation: (config, context) => {
    const { clock } = context;
    const issuer = new AnthropicFederationIssuer({ ...config, network: networkOf(context), clock });
    return tokenCredential(issuer, context, [OAUTH_BETA]);
  },
};

/** The credential that a configuration describes. It does nothing, and loads no library, before it is started. */
export function createCredential<K extends CredentialKind>(
  config: CredentialConfig<K>,
  context: CredentialContext,
): CredentialSource {
  return MAKERS[config.kind](config, context);
}

function tokenCredential(
  issuer: Issuer<TokenHeaders>,
  context: CredentialContext,
  betas: readonly string[] = [],
): CredentialSource {
  return new TokenCredential(refresherOptions(issuer, context), betas);
}

function awsCredential(issuer: Issuer<AwsKeys>, scope: SigningScope, context: CredentialContext): CredentialSource {
  return new AwsCredential({ ...refresherOptions(issuer, context), scope });
}

function refresherOptions<T>(
  issuer: Issuer<T>,
  { upstream, clock, scheduler, logger, random }: CredentialContext,
): Omit<RefresherOptions<T>, "secretsOf"> {
  return { upstream, issuer, clock, scheduler, logger, random };
}

function networkOf(context: CredentialContext): TokenNetwork {
  return new TokenNetwork(context.network);
}

function assumeRole(config: CredentialConfig<"aws_assume_role">, context: CredentialContext): Issuer<AwsKeys> {
  const network = networkOf(context);
  const { region } = config.scope;
  const source =
    config.keys === null
      ? new AwsChainIssuer({ profile: config.profile, region, network })
      : new AwsExplicitIssuer(config.keys);
  return new AwsAssumeRoleIssuer({
    roleArn: config.roleArn,
    source,
    sessionName: config.sessionName ?? DEFAULT_SESSION_NAME,
    externalId: config.externalId,
    durationSeconds: config.durationSeconds ?? DEFAULT_ROLE_SECONDS,
    region,
    stsUrl: config.stsUrl,
    network,
    clock: context.clock,
  });
}

function entra<By extends EntraIdentity["by"]>(
  by: By,
  identity: Extract<EntraIdentity, { by: By }>,
  { scope, authorityHost }: EntraSettings,
  context: CredentialContext,
): CredentialSource {
  const network = networkOf(context);
  return tokenCredential(new EntraIssuer({ by, identity, scope, authorityHost, network }), context);
}
