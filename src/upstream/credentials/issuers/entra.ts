import type * as EntraLibrary from "@azure/identity";

import { type Issued, type Issuer, IssueError } from "../issuer.ts";
import { bearer, type TokenHeaders } from "../token-credential.ts";
import type { TokenNetwork } from "../token-network.ts";

/** Which of Entra's identities is used. */
export type EntraIdentity =
  | { readonly by: "default"; readonly clientId: string | null }
  | {
      readonly by: "client_secret";
      readonly tenantId: string;
      readonly clientId: string;
      readonly clientSecret: string;
    }
  /** Fields that are null come from AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE. */
  | {
      readonly by: "workload_identity";
      readonly tenantId: string | null;
      readonly clientId: string | null;
      readonly tokenFile: string | null;
    }
  /** Null for the identity that the system assigned. */
  | { readonly by: "managed_identity"; readonly clientId: string | null };

export interface EntraOptions<By extends EntraIdentity["by"]> {
  readonly by: By;
  readonly identity: IdentityOf<By>;
  /** What the token is for, for example `https://ai.azure.com/.default`. */
  readonly scope: string;
  /** Null for the public cloud's, or what AZURE_AUTHORITY_HOST says. */
  readonly authorityHost: string | null;
  readonly network: TokenNetwork;
}

/** The authorities that MSAL may look others up at; any other one is taken at its word. */
const PUBLIC_AUTHORITIES =
  /^https:\/\/login\.(microsoftonline\.(com|us)|chinacloudapi\.cn|partner\.microsoftonline\.cn)\/?$/;
const PUBLIC_AUTHORITY = "https://login.microsoftonline.com";

type IdentityOf<By extends EntraIdentity["by"]> = Extract<EntraIdentity, { by: By }>;

interface IdentityRow<By extends EntraIdentity["by"]> {
  readonly what: string;
  readonly fix: string;
  /** Whether every call goes to the authority, and none to a local endpoint without TLS. */
  readonly overHttps: boolean;
  make(library: typeof EntraLibrary, identity: IdentityOf<By>, options: object): EntraLibrary.TokenCredential;
}

const IDENTITIES: { readonly [By in EntraIdentity["by"]]: IdentityRow<By> } = {
  default: {
    what: "Azure default credential",
    overHttps: false,
    fix: "Give the machine or pod an identity with access to the resource, or set AZURE_CLIENT_ID and its secret.",
    make: (library, { clientId }, options) =>
      new library.DefaultAzureCredential({
        ...options,
        ...(clientId !== null && { managedIdentityClientId: clientId }),
      }),
  },
  client_secret: {
    what: "Entra client secret",
    overHttps: true,
    fix: "Check that the application's secret has not expired and that the tenant is right.",
    make: (library, { tenantId, clientId, clientSecret }, options) =>
      new library.ClientSecretCredential(tenantId, clientId, clientSecret, options),
  },
  workload_identity: {
    what: "Entra workload identity",
    overHttps: true,
    fix: "Check the federated credential of the identity and the projected token file.",
    make: (library, { tenantId, clientId, tokenFile }, options) =>
      new library.WorkloadIdentityCredential({
        ...options,
        ...(tenantId !== null && { tenantId }),
        ...(clientId !== null && { clientId }),
        ...(tokenFile !== null && { tokenFilePath: tokenFile }),
      }),
  },
  managed_identity: {
    what: "Azure managed identity",
    overHttps: false,
    fix: "Check that the identity is assigned to this machine and has access to the resource.",
    make: (library, { clientId }, options) =>
      clientId === null
        ? new library.ManagedIdentityCredential(options)
        : new library.ManagedIdentityCredential(clientId, options),
  },
};

/** Microsoft Entra's access tokens for one scope. */
export class EntraIssuer<By extends EntraIdentity["by"]> implements Issuer<TokenHeaders> {
  readonly what: string;
  readonly fix: string;
  readonly secrets: readonly string[];
  readonly #row: IdentityRow<By>;
  readonly #options: EntraOptions<By>;

  constructor(options: EntraOptions<By>) {
    const { identity } = options;
    this.#options = options;
    this.#row = IDENTITIES[options.by];
    this.what = this.#row.what;
    this.fix = this.#row.fix;
    this.secrets = "clientSecret" in identity ? [identity.clientSecret] : [];
  }

  async issue(signal: AbortSignal): Promise<Issued<TokenHeaders>> {
    const library = await import("@azure/identity");
    const { httpAgent, httpsAgent } = this.#options.network.nodeAgents();
    try {
      // A new credential each time: one that is kept hands out its token until five minutes before the end.
      const options = this.#row.overHttps ? { agent: httpsAgent } : this.#mixedOptions();
      const credential = this.#row.make(library, this.#options.identity, { ...this.#authority(), ...options });
      const token = await credential.getToken(this.#options.scope, { abortSignal: signal });
      if (token === null) throw new IssueError("its token endpoint answered without a token");
      return { value: bearer(token.token), expiresAtMs: token.expiresOnTimestamp };
    } finally {
      httpAgent.destroy();
      httpsAgent.destroy();
    }
  }

  #authority(): object {
    const { authorityHost } = this.#options;
    return {
      ...(authorityHost !== null && { authorityHost }),
      disableInstanceDiscovery: !PUBLIC_AUTHORITIES.test(this.#authorityUrl()),
      // Repeating is the refresher's business.
      retryOptions: { maxRetries: 1, retryDelayInMs: 500 },
    };
  }

  /** For identities that speak https and http, which one agent cannot; behind a proxy the library then ignores the CA. */
  #mixedOptions(): object {
    const { network } = this.#options;
    const proxy = network.proxyFor(new URL(this.#authorityUrl()));
    return {
      ...(network.ca !== null && { tlsOptions: { ca: network.ca } }),
      ...(proxy !== null && { proxyOptions: proxyOptions(proxy) }),
    };
  }

  #authorityUrl(): string {
    return this.#options.authorityHost ?? process.env["AZURE_AUTHORITY_HOST"] ?? PUBLIC_AUTHORITY;
  }
}

function proxyOptions(proxy: URL): object {
  const port = proxy.port === "" ? (proxy.protocol === "https:" ? 443 : 80) : Number(proxy.port);
  const host = `${proxy.protocol}//${proxy.hostname}`;
  if (proxy.username === "") return { host, port };
  return {
    host,
    port,
    username: decodeURIComponent(proxy.username),
    password: decodeURIComponent(proxy.password),
  };
}
