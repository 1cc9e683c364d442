import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";

import type { Clock } from "../../../core/clock.ts";
import { type EndpointAnswer, FakeEndpoint, json } from "./fake-endpoint.ts";

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
const LIFE_MS = 60 * 60_000;

/** A service account with a key pair of its own. */
export interface FakeServiceAccount {
  readonly email: string;
  readonly publicKeyPem: string;
  /** The key file's text. */
  readonly keyFile: string;
}

export function fakeServiceAccount(): FakeServiceAccount {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const email = "weir@example-prod.iam.gserviceaccount.com";
  const keyFile = JSON.stringify({
    type: "service_account",
    project_id: "example-prod",
    private_key_id: "key-1",
    private_key: privateKey,
    client_email: email,
    client_id: "1",
    token_uri: "https://oauth2.googleapis.com/token",
  });
  return { email, publicKeyPem: publicKey, keyFile };
}

/** Google's token endpoint for service accounts: it checks the assertion's RS256 signature and its claims. */
export function fakeGoogleToken(clock: Clock, account: FakeServiceAccount): Promise<FakeEndpoint> {
  let given = 0;
  return FakeEndpoint.start((request) => {
    const form = new URLSearchParams(request.body);
    if (form.get("grant_type") !== "urn:ietf:params:oauth:grant-type:jwt-bearer") return oauthError("bad grant type");
    const problem = assertionProblem(form.get("assertion") ?? "", account);
    if (problem !== null) return oauthError(problem);
    given += 1;
    return json(200, { access_token: `ya29.fake-token-${given}`, ...lifeOf(clock), token_type: "Bearer" });
  });
}

/** The metadata service of GCE, Cloud Run and GKE, which wants its own header. */
export function fakeGoogleMetadata(clock: Clock): Promise<FakeEndpoint> {
  let given = 0;
  const flavor = { "metadata-flavor": "Google" };
  return FakeEndpoint.start((request) => {
    if (request.headers["metadata-flavor"] !== "Google") return { status: 403, body: "" };
    const [path = ""] = request.path.split("?");
    if (path !== "/computeMetadata/v1/instance/service-accounts/default/token")
      return { status: 200, headers: { ...flavor, "content-type": "text/plain" }, body: "example-prod" };
    given += 1;
    const token = { access_token: `ya29.metadata-token-${given}`, ...lifeOf(clock), token_type: "Bearer" };
    return { ...json(200, token), headers: flavor };
  });
}

/** Google's STS for workload identity federation: takes an external token and gives a federated one. */
export function fakeGoogleSts(clock: Clock, subjectToken: () => string): Promise<FakeEndpoint> {
  let given = 0;
  return FakeEndpoint.start((request) => {
    const form = new URLSearchParams(request.body);
    if (form.get("grant_type") !== "urn:ietf:params:oauth:grant-type:token-exchange")
      return oauthError("bad grant type");
    if (form.get("subject_token") !== subjectToken()) return oauthError(`bad subject ${form.get("subject_token")}`);
    given += 1;
    const token = `ya29.federated-token-${given}`;
    const issuedType = "urn:ietf:params:oauth:token-type:access_token";
    return json(200, { access_token: token, issued_token_type: issuedType, ...lifeOf(clock), token_type: "Bearer" });
  });
}

/** The configuration of a workload identity pool whose tokens come from a file. */
export function federationFile(sts: FakeEndpoint, tokenFile: string): string {
  return JSON.stringify({
    type: "external_account",
    audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/weir",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: `${sts.url}/v1/token`,
    credential_source: { file: tokenFile },
  });
}

function assertionProblem(assertion: string, account: FakeServiceAccount): string | null {
  const [header = "", payload = "", signature = ""] = assertion.split(".");
  const signed = Buffer.from(`${header}.${payload}`);
  const key = createPublicKey(account.publicKeyPem);
  const { alg } = JSON.parse(Buffer.from(header, "base64url").toString("utf8"));
  if (alg !== "RS256" || !verify("sha256", signed, key, Buffer.from(signature, "base64url"))) return "bad signature";
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
  if (claims.iss !== account.email) return "bad issuer";
  if (claims.aud !== "https://oauth2.googleapis.com/token") return "bad audience";
  if (claims.scope !== SCOPE) return "bad scope";
  return claims.exp - claims.iat === 3_600 ? null : "bad life";
}

/** The library reckons from the machine's clock, which a test's does not move. */
function lifeOf(clock: Clock): { expires_in: number } {
  return { expires_in: Math.round((clock.nowMs() + LIFE_MS - Date.now()) / 1_000) };
}

function oauthError(description: string): EndpointAnswer {
  return json(400, { error: "invalid_grant", error_description: description });
}
