import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { CONFIG_FIELDS } from "./config-fields.ts";
import { formatDiagnostic } from "./diagnostic.ts";
import type { LoadResult } from "./load.ts";

import { ConfigDirectory } from "./testing/config-directory.ts";

/** A secret of which every part is recognisable, so that half of it showing is found as well. */
const SECRET = "kanarie-".repeat(8);

/** A file with a secret in every field that takes one, in several ways of writing. */
const FILE = `listen: { port: 8080 }
store:
  postgres_url: postgres://weir:${SECRET}@db.example.com/weir?password=${SECRET}
  password: "${SECRET}"
upstreams:
  - provider: anthropic
    auth: { api_key: ${SECRET} }
    base_url: https://gateway.example.com
    proxy: http://${SECRET}:x@proxy.example.com
    headers:
      x-secret: '${SECRET}'
  - provider: anthropic
    name: other
    auth:
      oauth_token: |
        ${SECRET}
  - provider: bedrock
    region: us-east-1
    auth: { aws_access_key_id: AKIA1, aws_secret_access_key: ${SECRET}, aws_session_token: "${SECRET}" }
  - provider: foundry
    resource: example
    auth: { use_azure_ad: true, azure_tenant_id: t, azure_client_id: c, azure_client_secret: ${SECRET} }
  - provider: custom
    base_url: https://llm.example.com
    auth: { type: header, name: x-key, value: ${SECRET} }
  - provider: custom
    name: tokened
    base_url: https://llm.example.com
    auth:
      type: bearer
      token: ${SECRET}
network:
  proxy: { https_proxy: "http://u:${SECRET}@proxy.example.com" }
security:
  key_pepper: >-
    ${SECRET}
oidc: { issuer: "https://login.example.com", client_id: weir, client_secret: ${SECRET} }
session:
  jwt_secret:
    - ${SECRET}
    - "${SECRET}"
log: { level: info }
`;

let directory: ConfigDirectory;
beforeAll(async () => (directory = await ConfigDirectory.create()));
afterAll(async () => directory.remove());

/** Everything that is said about a file, in both forms. */
async function sayings(text: string, env: Record<string, string> = {}): Promise<string> {
  await directory.write("weir.yaml", text);
  const result: LoadResult = await directory.load({ env });
  const diagnostics = result.ok ? result.warnings : result.diagnostics;
  return `${diagnostics.map(formatDiagnostic).join("\n")}\n${JSON.stringify(diagnostics)}`;
}

/** Characters that mean something to YAML, or to nobody. */
const CHARACTERS = Array.from("{}[]:,#&*!|>'\"%@`?-\t\n x$");

/** One slip of the hand: a character more, less or other, or lines lost, doubled or swapped. */
const slip = fc.record({
  kind: fc.constantFrom("insert", "delete", "replace", "drop line", "double line", "swap lines", "indent line"),
  at: fc.nat(10_000),
  character: fc.constantFrom(...CHARACTERS),
});

function applySlip(text: string, { kind, at, character }: { kind: string; at: number; character: string }): string {
  const i = at % text.length;
  if (kind === "insert") return text.slice(0, i) + character + text.slice(i);
  if (kind === "delete") return text.slice(0, i) + text.slice(i + 1);
  if (kind === "replace") return text.slice(0, i) + character + text.slice(i + 1);
  const lines = text.split("\n");
  const n = at % lines.length;
  const line = lines[n] ?? "";
  if (kind === "drop line") lines.splice(n, 1);
  if (kind === "double line") lines.splice(n, 0, line);
  if (kind === "swap lines") lines.splice(n, 2, lines[n + 1] ?? "", line);
  if (kind === "indent line") lines[n] = `  ${line}`;
  return lines.join("\n");
}

describe("no diagnostic shows a secret", () => {
  it("whatever slip the file has", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(slip, { minLength: 1, maxLength: 2 }), async (slips) => {
        const text = slips.reduce(applySlip, FILE);
        expect(await sayings(text)).not.toContain("kanarie");
      }),
      { numRuns: 300 },
    );
  });

  it("in any field, when the value is of the wrong kind or in the wrong place", async () => {
    const secretFields = CONFIG_FIELDS.filter(({ mark }) => mark.secret === "whole");
    expect(secretFields.length).toBeGreaterThanOrEqual(4);
    const lines = [
      `api_key: ${SECRET}`,
      `store: { password: { value: ${SECRET} } }`,
      `store: { password: [${SECRET}] }`,
      `store: ${SECRET}`,
      `store: { postgres_url: "${SECRET}" }`,
      `security: { key_pepper: "${SECRET.slice(0, 16)}" }`,
      `security: { ${SECRET} }`,
      `security: { "${SECRET}": 1 }`,
      `security: { pepper: ${SECRET} }`,
      `upstreams: ${SECRET}`,
      `upstreams: [${SECRET}]`,
      `upstreams: [{ provider: anthropic, auth: ${SECRET} }]`,
      `upstreams: [{ provider: anthropic, auth: { api_key: a, oauth_token: ${SECRET} } }]`,
      `upstreams: [{ provider: anthropic, auth: { token: ${SECRET} }, headers: ${SECRET} }]`,
      `upstreams: [{ provider: anthropic, auth: { api_key: a }, base_url: "https://${SECRET}@x" }]`,
      `upstreams: [{ provider: bedrock, auth: { aws_secret_access_key: ${SECRET} } }]`,
      `session: { jwt_secret: { value: ${SECRET} } }`,
      `session: { jwt_secrets: [${SECRET}] }`,
      `session: { jwt_secret: [[${SECRET}]] }`,
      `oidc: { issuer: "https://x.example.com", client_id: a, client_secret: [${SECRET}] }`,
      `oidc: { issuer: "https://${SECRET}:x@x.example.com", client_id: a, client_secret: ${SECRET} }`,
      SECRET,
    ];
    for (const line of lines) {
      const said = await sayings(`${line}\n`);
      expect(said).toMatch(/error/);
      expect(said).not.toContain("kanarie");
    }
  });

  it("that came from a variable or a file, also in fields that are no secrets", async () => {
    const file = await directory.write("secret", SECRET);
    const text = [
      "log: { level: '${S}' }",
      "listen: { port: '${S}', trusted_proxies: ['${S}'], public_url: '${S}' }",
      `replicas: \${file:${file}}`,
      "upstreams: [{ provider: '${S}' }]",
    ].join("\n");
    const said = await sayings(text, { S: SECRET });
    expect(said).not.toContain("kanarie");
    expect(said).toContain("from ${S}");
  });
});
