import { systemClock, type Clock } from "../../../src/core/clock.ts";
import { verifySigV4 } from "../../../src/upstream/credentials/testing/verify-sigv4.ts";
import { bearerOf, headerOf, type CloudRequest } from "./cloud-request.ts";
import { Refusal, violation, type CloudError } from "./dialect.ts";

/** An AWS key pair, temporary when it has a session token. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Long-lived keys that stand-ins accept unless a test says otherwise. */
export const TEST_AWS_KEYS: AwsKeys = {
  accessKeyId: "AKIDWEIRSTANDIN00001",
  secretAccessKey: "weir/stand-in+secret/0123456789abcdefghi",
};
export const TEST_AWS_REGION = "eu-central-1";

export interface AwsGateOptions {
  readonly service: string;
  readonly region?: string;
  /** Default: TEST_AWS_KEYS. */
  readonly keys?: readonly AwsKeys[];
  /** Bearer tokens accepted besides signatures. */
  readonly bearers?: readonly string[];
  readonly clock?: Clock;
}

/** Who may call an AWS service: by signature or by bearer token. Keys can be replaced and can expire while it runs. */
export class AwsGate {
  readonly region: string;
  readonly #service: string;
  readonly #clock: Clock;
  #keys: readonly AwsKeys[];
  #bearers: readonly string[];
  #expired: ReadonlySet<string> = new Set();

  constructor(options: AwsGateOptions) {
    this.#service = options.service;
    this.region = options.region ?? TEST_AWS_REGION;
    this.#keys = options.keys ?? [TEST_AWS_KEYS];
    this.#bearers = options.bearers ?? [];
    this.#clock = options.clock ?? systemClock;
  }

  /** From now on only these keys are known. */
  replaceKeys(...keys: readonly AwsKeys[]): void {
    this.#keys = keys;
  }

  /** From now on only these bearer tokens are known. */
  replaceBearers(...bearers: readonly string[]): void {
    this.#bearers = bearers;
  }

  /** The session of these keys is over: a caller that uses them gets what a lapsed session gets, and no problem is noted. */
  expire(accessKeyId: string): void {
    this.#expired = new Set([...this.#expired, accessKeyId]);
  }

  /** Throws a Refusal when the request is neither signed properly nor has a known bearer token. */
  check(request: CloudRequest): void {
    const authorization = headerOf(request, "authorization");
    if (authorization === null)
      throw refused(403, "MissingAuthenticationTokenException", "Missing Authentication Token");
    if (/^bearer /i.test(authorization)) return this.#checkBearer(request);
    this.#checkSignature(request, authorization);
  }

  #checkBearer(request: CloudRequest): void {
    const bearer = bearerOf(request);
    if (bearer !== null && this.#bearers.includes(bearer)) return;
    const message = "Authentication failed: Please make sure your API Key is valid.";
    throw violation({ status: 403, code: "AccessDeniedException", message }, "unknown bearer token");
  }

  #checkSignature(request: CloudRequest, authorization: string): void {
    const accessKeyId = /Credential=([^/,]+)\//.exec(authorization)?.[1];
    const keys = this.#keys.find((known) => known.accessKeyId === accessKeyId);
    if (accessKeyId === undefined || keys === undefined) {
      const message = "The security token included in the request is invalid.";
      throw refused(403, "UnrecognizedClientException", message, `unknown access key ${accessKeyId ?? "(none)"}`);
    }
    if (this.#expired.has(accessKeyId)) throw expired();
    const { method, url: path, rawHeaders: headers, body } = request;
    const problem = verifySigV4(
      { method, path, headers, body },
      { ...keys, region: this.region, service: this.#service, nowMs: this.#clock.nowMs() },
    );
    if (problem === null) return;
    const message =
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
    throw refused(403, "InvalidSignatureException", message, `SigV4: ${problem}`);
  }
}

function refused(status: number, code: string, message: string, problem: string = message): Error {
  return violation({ status, code, message }, problem);
}

function expired(): Error {
  const error: CloudError = {
    status: 403,
    code: "ExpiredTokenException",
    message: "The security token included in the request is expired",
  };
  return new Refusal(error, null);
}
