import type { Clock } from "../../../core/clock.ts";
import { type Issued, type Issuer, IssueError } from "../issuer.ts";
import { bearer, type TokenHeaders } from "../token-credential.ts";
import type { TokenNetwork } from "../token-network.ts";
import { readToken } from "./token-file.ts";

/** Needed in `anthropic-beta` on every request with an OAuth bearer. */
export const OAUTH_BETA = "oauth-2025-04-20";
/** Needed besides on the exchange. */
const FEDERATION_BETA = "oidc-federation-2026-04-01";
const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TOKEN_PATH = "/v1/oauth/token";
/** The endpoint takes no longer assertion. */
const MAX_ASSERTION_BYTES = 16 * 1024;

export interface FederationOptions {
  readonly federationRuleId: string;
  readonly organizationId: string;
  /** File with the workload's OIDC token; read at each exchange. */
  readonly identityTokenFile: string;
  readonly workspaceId: string | null;
  readonly serviceAccountId: string | null;
  /** Origin and optional path of the API. */
  readonly baseUrl: string;
  readonly network: TokenNetwork;
  readonly clock: Clock;
}

/** Anthropic's Workload Identity Federation: an OIDC token is exchanged for a bearer (RFC 7523, in JSON). */
export class AnthropicFederationIssuer implements Issuer<TokenHeaders> {
  readonly what = "Anthropic Workload Identity Federation";
  readonly fix =
    "Check that the federation rule matches the identity token; the Console's Workload identity page lists the attempts.";
  readonly secrets: readonly string[] = [];
  readonly #options: FederationOptions;
  readonly #url: URL;

  /** Throws IssueError when the token would travel in the clear. */
  constructor(options: FederationOptions) {
    this.#options = options;
    this.#url = new URL(`${options.baseUrl.replace(/\/+$/, "")}${TOKEN_PATH}`);
    const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(this.#url.hostname);
    if (this.#url.protocol !== "https:" && !isLocal)
      throw new IssueError("an identity token is only exchanged over https", this.#url.origin);
  }

  async issue(signal: AbortSignal): Promise<Issued<TokenHeaders>> {
    const { identityTokenFile, network, clock } = this.#options;
    const assertion = await readToken(identityTokenFile, signal);
    if (assertion.length > MAX_ASSERTION_BYTES)
      throw new IssueError(`its identity token is longer than ${MAX_ASSERTION_BYTES} bytes`, identityTokenFile);
    const askedAtMs = clock.nowMs();
    const answer = await network.post(this.#url, {
      headers: [
        "content-type",
        "application/json",
        "accept",
        "application/json",
        "anthropic-beta",
        `${OAUTH_BETA},${FEDERATION_BETA}`,
      ],
      body: JSON.stringify(this.#grant(assertion)),
      signal,
    });
    const body = parseObject(answer.body);
    if (answer.status !== 200) throw refusal(answer.status, body, assertion);
    return parseToken(body, askedAtMs);
  }

  #grant(assertion: string): Record<string, string> {
    const { federationRuleId, organizationId, workspaceId, serviceAccountId } = this.#options;
    return {
      grant_type: GRANT_TYPE,
      assertion,
      federation_rule_id: federationRuleId,
      organization_id: organizationId,
      ...(serviceAccountId !== null && { service_account_id: serviceAccountId }),
      ...(workspaceId !== null && { workspace_id: workspaceId }),
    };
  }
}

function parseToken(body: ReadonlyMap<string, unknown>, askedAtMs: number): Issued<TokenHeaders> {
  const token = body.get("access_token");
  const expiresIn = Number(body.get("expires_in"));
  const type = body.get("token_type");
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token) || !Number.isFinite(expiresIn))
    throw new IssueError("its token endpoint answered without a token");
  if (typeof type === "string" && type.toLowerCase() !== "bearer")
    throw new IssueError("its token endpoint answered with a token that is no bearer");
  return { value: bearer(token), expiresAtMs: askedAtMs + expiresIn * 1000 };
}

/** Only OAuth's own fields of an error are repeated: a server may echo the assertion elsewhere. */
function refusal(status: number, body: ReadonlyMap<string, unknown>, assertion: string): IssueError {
  const code = body.get("error");
  const isCode = typeof code === "string" && /^[a-z_]{3,60}$/.test(code);
  const description = body.get("error_description");
  const detail = typeof description === "string" ? description.replaceAll(assertion, "[hidden]") : "";
  if (status >= 500) return new IssueError(`its token endpoint answered ${status}`, detail);
  return new IssueError(`its token endpoint refused the request (${isCode ? `${status} ${code}` : status})`, detail);
}

function parseObject(text: string): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
  } catch {
    // What is no JSON has none of the fields that are looked for.
    return new Map();
  }
}
