import type { Clock } from "../../../core/clock.ts";
import { type EndpointAnswer, type EndpointRequest, FakeEndpoint, json } from "./fake-endpoint.ts";
import { verifySigV4 } from "./verify-sigv4.ts";

/** How long the keys of the fakes live. */
const KEY_LIFE_MS = 60 * 60_000;

export interface FakeKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** The n-th keys that a fake gives. */
export function fakeKeys(n: number): FakeKeys {
  return {
    accessKeyId: `ASIAFAKE${String(n).padStart(8, "0")}`,
    secretAccessKey: `secret-of-keys-${n}`,
    sessionToken: `session-token-${n}`,
  };
}

/** A fake with the number of keys it has given. */
export interface KeyEndpoint {
  readonly endpoint: FakeEndpoint;
  given(): number;
}

/** EC2's instance metadata, version 2: nothing without the token that a PUT gives. */
export async function fakeImds(clock: Clock): Promise<KeyEndpoint> {
  let given = 0;
  const endpoint = await FakeEndpoint.start((request) => {
    if (request.path === "/latest/api/token") {
      const ttl = request.headers["x-aws-ec2-metadata-token-ttl-seconds"];
      if (request.method !== "PUT" || ttl === undefined) return { status: 405, body: "" };
      return { status: 200, headers: { "content-type": "text/plain" }, body: "imds-session" };
    }
    if (request.headers["x-aws-ec2-metadata-token"] !== "imds-session") return { status: 401, body: "" };
    const root = "/latest/meta-data/iam/security-credentials/";
    if (request.path === root) return { status: 200, headers: { "content-type": "text/plain" }, body: "weir-role" };
    if (request.path !== `${root}weir-role`) return { status: 404, body: "" };
    given += 1;
    return json(200, { Code: "Success", Type: "AWS-HMAC", LastUpdated: iso(clock, 0), ...keyDocument(given, clock) });
  });
  return { endpoint, given: () => given };
}

/** The container credentials of ECS and EKS pod identity, which want the authorization token of the environment. */
export async function fakeContainer(clock: Clock, authorization: string): Promise<KeyEndpoint> {
  let given = 0;
  const endpoint = await FakeEndpoint.start((request) => {
    if (request.headers.authorization !== authorization) return json(403, { code: "AccessDenied", message: "no" });
    if (request.path !== "/v1/credentials") return json(404, {});
    given += 1;
    return json(200, keyDocument(given, clock));
  });
  return { endpoint, given: () => given };
}

/** Security Token Service: AssumeRole, signed and checked, and AssumeRoleWithWebIdentity. */
export async function fakeSts(
  clock: Clock,
  expected: { readonly roleArn: string; readonly webIdentity: () => string; readonly callers: readonly FakeKeys[] },
): Promise<KeyEndpoint> {
  let given = 0;
  const endpoint = await FakeEndpoint.start((request) => {
    const form = new URLSearchParams(request.body);
    const action = form.get("Action") ?? "";
    const problem = stsProblem(request, form, expected);
    if (problem !== null) return stsError(problem);
    given += 1;
    return { status: 200, headers: { "content-type": "text/xml" }, body: stsAnswer(action, given, clock) };
  });
  return { endpoint, given: () => given };
}

function stsProblem(
  request: EndpointRequest,
  form: URLSearchParams,
  expected: Parameters<typeof fakeSts>[1],
): string | null {
  if (request.method !== "POST" || form.get("Version") !== "2011-06-15") return "InvalidAction";
  if (form.get("RoleArn") !== expected.roleArn || !form.get("RoleSessionName")) return "AccessDenied";
  if (form.get("Action") === "AssumeRoleWithWebIdentity") {
    if (request.headers.authorization !== undefined) return "SignatureNotWanted";
    return form.get("WebIdentityToken") === expected.webIdentity() ? null : "InvalidIdentityToken";
  }
  if (form.get("Action") !== "AssumeRole") return "InvalidAction";
  const reasons = expected.callers.map((caller) => {
    const { sessionToken, ...keys } = caller;
    const signer = { ...keys, ...(sessionToken !== "" && { sessionToken }), region: "us-east-1", service: "sts" };
    return verifySigV4({ ...request, headers: request.rawHeaders }, signer);
  });
  return reasons.includes(null) ? null : "SignatureDoesNotMatch";
}

function stsError(code: string): EndpointAnswer {
  const body = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>no &amp; never</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`;
  return { status: code === "InvalidIdentityToken" ? 400 : 403, headers: { "content-type": "text/xml" }, body };
}

function stsAnswer(action: string, n: number, clock: Clock): string {
  const { accessKeyId, secretAccessKey, sessionToken } = fakeKeys(n);
  return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><AssumedRoleUser><AssumedRoleId>AROA:weir</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/weir/weir</Arn></AssumedRoleUser><Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey><SessionToken>${sessionToken}</SessionToken><Expiration>${iso(clock, KEY_LIFE_MS)}</Expiration></Credentials></${action}Result><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></${action}Response>`;
}

function keyDocument(n: number, clock: Clock): object {
  const { accessKeyId, secretAccessKey, sessionToken } = fakeKeys(n);
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    Token: sessionToken,
    Expiration: iso(clock, KEY_LIFE_MS),
  };
}

function iso(clock: Clock, fromNowMs: number): string {
  return new Date(clock.nowMs() + fromNowMs).toISOString();
}
