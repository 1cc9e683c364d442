import { headerOf, type CloudRequest } from "./cloud-request.ts";
import { Refusal, violation } from "./dialect.ts";
import type { TokenBook } from "./tokens.ts";

export const TEST_AZURE_KEY = "0123456789abcdef0123456789abcdef";

/** Who may call an Azure AI resource: by the key in one of `keyHeaders`, or by an Entra token. Throws a Refusal. */
export function authorizeAzure(
  request: CloudRequest,
  { keys, tokens, keyHeaders }: { keys: readonly string[]; tokens: TokenBook; keyHeaders: readonly string[] },
): void {
  const name = keyHeaders.find((header) => request.headers[header] !== undefined);
  if (name !== undefined) {
    if (keys.includes(headerOf(request, name) ?? "")) return;
    const message =
      "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.";
    throw violation({ status: 401, code: "401", message }, `the key in ${name} is unknown`);
  }
  const state = tokens.stateOf(request);
  if (state === "valid") return;
  const message =
    "Unauthorized. Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired.";
  throw new Refusal({ status: 401, code: "401", message }, state === "expired" ? null : `the Entra token is ${state}`);
}
