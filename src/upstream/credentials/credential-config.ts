import type { SigningScope } from "./aws-keys.ts";

/** The settings of each kind of credential; null stands for the library's or the cloud's own choice. */
interface CredentialSettings {
  /** Nothing is added: the sandbox, an open endpoint. */
  none: object;
  /** A key in a header of its own: `x-api-key`, `api-key`. */
  header: { readonly header: string; readonly value: string };
  /** `authorization: Bearer`. `betas` are for Anthropic's OAuth bearers. */
  bearer: { readonly token: string; readonly betas: readonly string[] };
  /** A token that something else keeps fresh in a file. `header` null means `authorization: Bearer`. */
  token_file: { readonly path: string; readonly header: string | null };
  aws_keys: AwsKeySettings & { readonly scope: SigningScope };
  aws_chain: { readonly profile: string | null; readonly scope: SigningScope };
  aws_assume_role: {
    readonly roleArn: string;
    /** The keys to ask with; null for the default chain. */
    readonly keys: AwsKeySettings | null;
    readonly profile: string | null;
    readonly sessionName: string | null;
    readonly externalId: string | null;
    readonly durationSeconds: number | null;
    readonly stsUrl: string | null;
    readonly scope: SigningScope;
  };
  google_default: { readonly project: string; readonly tokenUrl: string | null };
  /** A service account's key or a federation configuration. */
  google_file: { readonly path: string; readonly project: string; readonly tokenUrl: string | null };
  entra_default: EntraSettings & { readonly clientId: string | null };
  entra_client_secret: EntraSettings & {
    readonly tenantId: string;
    readonly clientId: string;
    readonly clientSecret: string;
  };
  entra_workload_identity: EntraSettings & {
    readonly tenantId: string | null;
    readonly clientId: string | null;
    readonly tokenFile: string | null;
  };
  entra_managed_identity: EntraSettings & { readonly clientId: string | null };
  anthropic_federation: {
    readonly federationRuleId: string;
    readonly organizationId: string;
    readonly identityTokenFile: string;
    readonly workspaceId: string | null;
    readonly serviceAccountId: string | null;
    readonly baseUrl: string;
  };
}

interface AwsKeySettings {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
}

export interface EntraSettings {
  readonly scope: string;
  readonly authorityHost: string | null;
}

export type CredentialKind = keyof CredentialSettings;

/** The settings of a credential with the kind that they are of. */
export type CredentialConfig<K extends CredentialKind = CredentialKind> = {
  [Kind in K]: { readonly kind: Kind } & CredentialSettings[Kind];
}[K];
