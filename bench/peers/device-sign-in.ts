/**
 * Signs in to a Claude apps gateway as its user would: device grant (RFC 8628), approved in what would be a browser, whose
 * identity provider asks no questions. Returns the bearer token. Throws with the step that was refused.
 */
export async function signInByDevice(base: string): Promise<string> {
  const grant = await post(`${base}/oauth/device_authorization`, { surface: "claude_code" });
  const { device_code: deviceCode, user_code: userCode } = (await grant.json()) as {
    device_code: string;
    user_code: string;
  }; // RFC 8628, 3.2
  const approved = await post(`${base}/device`, { user_code: userCode }, { origin: base });
  const cookie = (approved.headers.get("set-cookie") ?? "").split(";", 1)[0] ?? "";
  const atProvider = await fetch(locationOf(approved), { redirect: "manual" });
  const callback = await fetch(locationOf(atProvider), { headers: { cookie } });
  if (!callback.ok) throw new Error(`${base} refused the identity provider's answer: ${callback.status}`);
  const form = { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: deviceCode };
  const { access_token: token } = (await (await post(`${base}/oauth/token`, form)).json()) as { access_token?: string }; // RFC 6749, 5.1
  if (token === undefined) throw new Error(`${base} issued no token`);
  return token;
}

async function post(
  url: string,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const response = await fetch(url, { method: "POST", body: new URLSearchParams(form), headers, redirect: "manual" });
  if (response.status >= 400)
    throw new Error(`POST ${url} answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
  return response;
}

function locationOf(response: Response): string {
  const location = response.headers.get("location");
  if (location === null) throw new Error(`${response.url} answered ${response.status} and not with a redirect`);
  return location;
}
