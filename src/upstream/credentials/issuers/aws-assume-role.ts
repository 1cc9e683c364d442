import type { Clock } from "../../../core/clock.ts";
import type { AwsKeys } from "../aws-keys.ts";
import { type Issued, type Issuer, IssueError } from "../issuer.ts";
import { SigV4Signer } from "../sigv4-signer.ts";
import type { TokenNetwork } from "../token-network.ts";

export interface AssumeRoleOptions {
  readonly roleArn: string;
  /** Where the keys come from that the role is asked for with. */
  readonly source: Issuer<AwsKeys>;
  readonly sessionName: string;
  readonly externalId: string | null;
  readonly durationSeconds: number;
  readonly region: string;
  /** Endpoint of STS; null for the region's own, or what AWS_ENDPOINT_URL_STS says. */
  readonly stsUrl: string | null;
  readonly network: TokenNetwork;
  readonly clock: Clock;
}

/** Keys of a role that other keys may assume, from AWS's Security Token Service (AssumeRole, API version 2011-06-15). */
export class AwsAssumeRoleIssuer implements Issuer<AwsKeys> {
  readonly what: string;
  readonly fix = "Check that the role trusts these keys (sts:AssumeRole) and that its ARN and external id are right.";
  readonly #options: AssumeRoleOptions;

  constructor(options: AssumeRoleOptions) {
    this.#options = options;
    this.what = "AWS assumed role";
  }

  get secrets(): readonly string[] {
    const { source, externalId } = this.#options;
    return externalId === null ? source.secrets : [...source.secrets, externalId];
  }

  async issue(signal: AbortSignal): Promise<Issued<AwsKeys>> {
    const { source, region, network, clock } = this.#options;
    const { value: keys } = await source.issue(signal);
    const signer = new SigV4Signer({ region, service: "sts" }, clock);
    const url = this.#url();
    const body = this.#form();
    const path = `${url.pathname}${url.search}`;
    const headers = ["content-type", "application/x-www-form-urlencoded"];
    const signature = signer.sign({ method: "POST", host: url.host, path, headers, body: Buffer.from(body) }, keys);
    const answer = await network.post(url, { headers: [...headers, ...signature], body, signal });
    if (answer.status !== 200) throw refusal(answer.status, answer.body);
    return parseKeys(answer.body);
  }

  #url(): URL {
    const { stsUrl, region } = this.#options;
    const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    return new URL(stsUrl ?? process.env["AWS_ENDPOINT_URL_STS"] ?? `https://sts.${region}.${domain}/`);
  }

  #form(): string {
    const { roleArn, sessionName, externalId, durationSeconds } = this.#options;
    const form = new URLSearchParams({
      Action: "AssumeRole",
      Version: "2011-06-15",
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      DurationSeconds: String(durationSeconds),
    });
    if (externalId !== null) form.set("ExternalId", externalId);
    return form.toString();
  }
}

function parseKeys(xml: string): Issued<AwsKeys> {
  const accessKeyId = element(xml, "AccessKeyId");
  const secretAccessKey = element(xml, "SecretAccessKey");
  const sessionToken = element(xml, "SessionToken");
  const expiresAtMs = Date.parse(element(xml, "Expiration") ?? "");
  if (accessKeyId === null || secretAccessKey === null || sessionToken === null || Number.isNaN(expiresAtMs))
    throw new IssueError("its token endpoint answered without keys");
  return { value: { accessKeyId, secretAccessKey, sessionToken }, expiresAtMs };
}

function refusal(status: number, xml: string): IssueError {
  const code = element(xml, "Code");
  const summary =
    status >= 500
      ? `its token endpoint answered ${status}`
      : `its token endpoint refused the request (${code === null ? status : `${status} ${code}`})`;
  return new IssueError(summary, element(xml, "Message") ?? "");
}

/** The text of an element that STS has once in an answer; its values need no more than the five entities. */
function element(xml: string, name: string): string | null {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  if (text === undefined) return null;
  const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.trim().replaceAll(/&(amp|lt|gt|quot|apos);/g, (_match, entity: string) => entities[entity] ?? "");
}
