import { readFile } from "node:fs/promises";

import type * as GoogleLibrary from "google-auth-library";

import { type Issued, type Issuer, IssueError } from "../issuer.ts";
import { bearer, type TokenHeaders } from "../token-credential.ts";
import type { TokenNetwork } from "../token-network.ts";

/** What Agent Platform asks for. */
const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
/** The library has the token endpoint of service accounts built in. */
const GOOGLE_TOKEN_URL = "https://oauth2.googleapis.com/token";

export interface GoogleOptions {
  /** A service account's key, or a configuration of workload identity federation; null for the application defaults. */
  readonly file: string | null;
  /** The project whose models are called. Without it the library would look for one over the network. */
  readonly project: string;
  /** Where tokens are asked for instead of Google's own endpoint; null for that. */
  readonly tokenUrl: string | null;
  readonly network: TokenNetwork;
}

/**
 * Google's access tokens: from the application default credentials (GOOGLE_APPLICATION_CREDENTIALS, gcloud's file, the
 * metadata service with GKE's workload identity), or from a file.
 */
export class GoogleIssuer implements Issuer<TokenHeaders> {
  readonly what: string;
  readonly fix: string;
  readonly secrets: readonly string[] = [];
  readonly #options: GoogleOptions;

  constructor(options: GoogleOptions) {
    this.#options = options;
    this.what = options.file === null ? "Google application default credentials" : "Google credentials file";
    this.fix =
      options.file === null
        ? "Give the machine or pod a service account, or set GOOGLE_APPLICATION_CREDENTIALS."
        : "Check the file, and that its key or federation is not disabled.";
  }

  async issue(signal: AbortSignal): Promise<Issued<TokenHeaders>> {
    const { file, project, network } = this.#options;
    const library = await import("google-auth-library");
    // A new client each time: one that is kept hands out its token until five minutes before the end.
    const options: ClientOptions = {
      scopes: [SCOPE],
      transporterOptions: { fetchImplementation: network.fetchFor(signal, (url) => this.#rewrite(url)) },
    };
    const client =
      file === null
        ? await new library.GoogleAuth({ scopes: [SCOPE], projectId: project, clientOptions: options }).getClient()
        : clientOf(await readCredentials(file, signal), library, options);
    const { token } = await client.getAccessToken();
    const expiresAtMs = client.credentials.expiry_date ?? null;
    if (token === null || token === undefined || token === "")
      throw new IssueError("its token endpoint answered without a token");
    const payer = client.quotaProjectId;
    return { value: bearer(token, payer === undefined ? [] : ["x-goog-user-project", payer]), expiresAtMs };
  }

  #rewrite(url: URL): URL {
    const { tokenUrl } = this.#options;
    return tokenUrl !== null && url.href === GOOGLE_TOKEN_URL ? new URL(tokenUrl) : url;
  }
}

interface ClientOptions {
  readonly scopes: string[];
  readonly transporterOptions: { readonly fetchImplementation: typeof globalThis.fetch };
}

/** A credentials file with the kind that it says it is. */
interface CredentialsFile {
  readonly type: string;
  readonly json: object;
}

async function readCredentials(path: string, signal: AbortSignal): Promise<CredentialsFile> {
  const text = await readFile(path, { encoding: "utf8", signal });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The parser's message would show a piece of the file.
    throw new IssueError("its credentials file is not JSON", path);
  }
  const type: unknown = typeof json === "object" && json !== null ? Reflect.get(json, "type") : undefined;
  if (typeof json !== "object" || json === null || typeof type !== "string")
    throw new IssueError("its credentials file says no `type`", path);
  return { type, json };
}

/** Throws IssueError for a file of another type: it could make the library call addresses that nobody reviewed. */
function clientOf(
  { type, json }: CredentialsFile,
  library: typeof GoogleLibrary,
  options: ClientOptions,
): GoogleLibrary.AuthClient {
  if (type === "service_account") {
    const client = new library.JWT(options);
    client.fromJSON(json);
    return client;
  }
  if (type === "external_account") return federationClient({ ...json, ...options }, library);
  throw new IssueError(`its credentials file is of type ${JSON.stringify(type)}, not a service account or federation`);
}

/** The client for where the external identity comes from: AWS, a program, or a file or URL. */
function federationClient(json: object, library: typeof GoogleLibrary): GoogleLibrary.AuthClient {
  const source: unknown = Reflect.get(json, "credential_source");
  const has = (name: string): boolean => typeof source === "object" && source !== null && name in source;
  // The constructors check the fields themselves and throw where one is missing.
  if (has("environment_id")) return new library.AwsClient(json as GoogleLibrary.AwsClientOptions);
  if (has("executable")) return new library.PluggableAuthClient(json as GoogleLibrary.PluggableAuthClientOptions);
  return new library.IdentityPoolClient(json as GoogleLibrary.IdentityPoolClientOptions);
}
