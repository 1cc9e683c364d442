import { jsonOf } from "../harness/http-answer.ts";
import { ask, type HttpAnswer } from "../harness/http-answer.ts";

const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

export interface DeviceStart {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string;
  readonly expires_in: number;
  readonly interval: number;
}

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly token_type: string;
  readonly expires_in: number;
}

/** Posts a form and gives the answer. */
export async function postForm(url: string, fields: Readonly<Record<string, string>>): Promise<HttpAnswer> {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return await ask(url, { method: "POST", headers, body: new URLSearchParams(fields).toString() });
}

export async function startDevice(weirUrl: string): Promise<DeviceStart> {
  return jsonOf(await postForm(`${weirUrl}/oauth/device_authorization`, { surface: "claude_code" })) as DeviceStart;
}

/** One poll; the tokens, or the name of the error. */
export async function poll(weirUrl: string, deviceCode: string): Promise<Tokens | string> {
  return tokensOrError(await postForm(`${weirUrl}/oauth/token`, { grant_type: DEVICE_GRANT, device_code: deviceCode }));
}

export async function refresh(weirUrl: string, token: string): Promise<Tokens | string> {
  return tokensOrError(await postForm(`${weirUrl}/oauth/token`, { grant_type: "refresh_token", refresh_token: token }));
}

function tokensOrError(answer: HttpAnswer): Tokens | string {
  const body = jsonOf(answer) as Tokens | { error: string };
  return "error" in body ? body.error : body;
}

/** The tokens of an answer that must be them. */
export function tokensOf(answer: Tokens | string): Tokens {
  if (typeof answer === "string") throw new Error(`no tokens, but ${answer}`);
  return answer;
}
