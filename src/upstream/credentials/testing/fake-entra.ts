import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import type { Clock } from "../../../core/clock.ts";
import { type EndpointAnswer, type EndpointRequest, FakeEndpoint, json } from "./fake-endpoint.ts";

const LIFE_MS = 60 * 60_000;
/** Below five minutes, in the machine's time too, the library asks again instead of giving what it keeps. */
const MANAGED_LIFE_SECONDS = 40;

export interface SelfSigned {
  readonly key: string;
  readonly cert: string;
}

/** A certificate for 127.0.0.1, as Entra's library speaks https alone. */
export async function selfSigned(directory: string): Promise<SelfSigned> {
  const key = join(directory, "tls.key");
  const cert = join(directory, "tls.crt");
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key];
  await promisify(execFile)("openssl", ["req", "-x509", ...newKey, "-out", cert, "-days", "1", ...subject]);
  return { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") };
}

/** Entra's token endpoint, version 2, for client credentials with a secret or an assertion. */
export function fakeEntra(
  clock: Clock,
  tls: SelfSigned,
  expected: { readonly tenant: string; readonly scope: string; readonly proof: () => Readonly<Record<string, string>> },
): Promise<FakeEndpoint> {
  let given = 0;
  return FakeEndpoint.start((request) => {
    if (request.method === "GET") return discovery(request, expected.tenant);
    if (request.path.split("?")[0] !== `/${expected.tenant}/oauth2/v2.0/token`) return json(404, {});
    const form = new URLSearchParams(request.body);
    const wanted = { grant_type: "client_credentials", ...expected.proof() };
    const wrong = Object.entries(wanted).find(([name, value]) => form.get(name) !== value);
    if (wrong !== undefined || !(form.get("scope") ?? "").split(" ").includes(expected.scope))
      return json(401, { error: "invalid_client", error_description: `AADSTS7000215: Invalid ${wrong?.[0]}.` });
    given += 1;
    return json(200, { token_type: "Bearer", expires_in: lifeSeconds(clock), access_token: `entra-token-${given}` });
  }, tls);
}

function discovery(request: EndpointRequest, tenant: string): EndpointAnswer {
  if (!request.path.startsWith(`/${tenant}/v2.0/.well-known/openid-configuration`)) return json(404, {});
  const origin = `https://${request.headers.host}`;
  return json(200, {
    token_endpoint: `${origin}/${tenant}/oauth2/v2.0/token`,
    authorization_endpoint: `${origin}/${tenant}/oauth2/v2.0/authorize`,
    issuer: `${origin}/${tenant}/v2.0`,
    jwks_uri: `${origin}/${tenant}/discovery/v2.0/keys`,
  });
}

/** App Service's endpoint for managed identities, which wants the secret of the environment. */
export function fakeAppService(clock: Clock, secret: string, resource: string): Promise<FakeEndpoint> {
  let given = 0;
  return FakeEndpoint.start((request) => {
    const query = new URL(request.path, "http://127.0.0.1").searchParams;
    if (request.headers["x-identity-header"] !== secret) return json(401, { message: "no" });
    if (query.get("resource") !== resource) return json(400, { error: "invalid_resource" });
    given += 1;
    return managedToken(`managed-token-${given}`, resource, clock);
  });
}

/** The instance metadata of a virtual machine. */
export function fakeAzureImds(clock: Clock, resource: string): Promise<FakeEndpoint> {
  let given = 0;
  return FakeEndpoint.start((request) => {
    const url = new URL(request.path, "http://127.0.0.1");
    if (request.headers["metadata"] !== "true") return json(400, { error: "bad_request_102" });
    if (!/^\/metadata\/identity\/oauth2\/token\/?$/.test(url.pathname) || url.searchParams.get("resource") !== resource)
      return json(404, {});
    given += 1;
    return managedToken(`imds-token-${given}`, resource, clock);
  });
}

/** Managed identities give their end as seconds since the epoch, in text. */
function managedToken(token: string, resource: string, clock: Clock): EndpointAnswer {
  const endSeconds = Math.round(clock.nowMs() / 1_000) + MANAGED_LIFE_SECONDS;
  const expiresIn = String(endSeconds - Math.round(Date.now() / 1_000));
  return json(200, {
    access_token: token,
    expires_in: expiresIn,
    expires_on: String(endSeconds),
    resource,
    token_type: "Bearer",
    client_id: "00000000-0000-0000-0000-000000000001",
  });
}

/** The library reckons from the machine's clock, which a test's does not move. */
function lifeSeconds(clock: Clock): number {
  return Math.round((clock.nowMs() + LIFE_MS - Date.now()) / 1_000);
}
