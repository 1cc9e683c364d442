import type { Clock } from "../../../core/clock.ts";
import { FakeEndpoint, json } from "./fake-endpoint.ts";

const LIFE_SECONDS = 3_600;

/** Anthropic's token endpoint for workload identity federation. An error echoes the assertion, as a careless server might. */
export function fakeAnthropicToken(
  clock: Clock,
  expected: { readonly assertion: () => string; readonly fields: Readonly<Record<string, string>> },
): Promise<FakeEndpoint> {
  let given = 0;
  return FakeEndpoint.start((request) => {
    if (request.method !== "POST" || request.path !== "/v1/oauth/token") return json(404, {});
    const betas = String(request.headers["anthropic-beta"]).split(",");
    if (!betas.includes("oidc-federation-2026-04-01")) return json(400, { error: "unsupported_grant_type" });
    const body: unknown = JSON.parse(request.body);
    const wanted = {
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      assertion: expected.assertion(),
      ...expected.fields,
    };
    if (JSON.stringify(sorted(body)) !== JSON.stringify(sorted(wanted)))
      return json(401, { error: "invalid_grant", error_description: `no rule matches ${request.body}` });
    given += 1;
    const token = `sk-ant-oat01-fake-${given}-${clock.nowMs()}`;
    return json(200, { access_token: token, token_type: "Bearer", expires_in: LIFE_SECONDS });
  });
}

function sorted(value: unknown): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).toSorted(([a], [b]) => a.localeCompare(b))
    : value;
}
