import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { formatDiagnostic } from "../../src/config/diagnostic.ts";
import { loadConfig } from "../../src/config/load.ts";
import { selfSigned } from "../../src/config/testing/self-signed.ts";
import { blocksOf, pages, ROOT } from "./markdown.ts";

/** What the documents take from the environment. */
const ENV = {
  ANTHROPIC_API_KEY: "sk-ant-api03-0f9d8c7b6a5948372615",
  ANTHROPIC_AWS_WORKSPACE_ID: "wrkspc_01ABC",
  AWS_ACCESS_KEY_ID: "AKIAEXAMPLE0F9D8C7B6",
  AWS_BEARER_TOKEN_BEDROCK: "ABSK0f9d8c7b6a594837261514",
  AWS_SECRET_ACCESS_KEY: "0f9d8c7b6a59483726151403f2e1d0c9b8a79685",
  AZURE_OPENAI_API_KEY: "0f9d8c7b6a59483726151403f2e1d0c9",
  BEDROCK_EXTERNAL_ID: "0f9d8c7b6a594837",
  CENTRAL_GATEWAY_TOKEN: "0f9d8c7b6a59483726151403",
  FOUNDRY_API_KEY: "9c0d1e2f30415162738495a6b7c8d9f0",
  GOOGLE_CLOUD_PROJECT: "example-prod",
  OIDC_CLIENT_SECRET: "0f9d8c7b6a59483726151403",
  WEIR_AUDIT_KEY: generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }),
  WEIR_JWT_SECRET: "b8Q2x7Lm5Zk9v3Nf6Rt1Yw4Hc0Js8PdG",
  WEIR_ADMIN_READ_KEY: "rk-b1c2d3e4f5061728394a5b6c7d8e9fa0",
  WEIR_ADMIN_WRITE_KEY: "wk-0f9d8c7b6a59483726151403f2e1d0c9",
  WEIR_KEY_PEPPER: "Vh3nQm0c9s1xYk7bZ2rTq8LwEaJ5uPdG",
  WEIR_POSTGRES_URL: "postgres://weir:0f9d8c7b6a594837@db.example.com/weir?sslmode=verify-full",
};

const examples = readdirSync(path.join(ROOT, "examples"))
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => ({ name: `examples/${name}`, text: readFileSync(path.join(ROOT, "examples", name), "utf8") }));
const blocks = pages()
  .flatMap(blocksOf)
  .filter(({ info }) => info === "yaml")
  .map(({ page, line, text }) => ({ name: `${page}:${line}`, text }));

describe("every configuration in examples/ and in the documents", () => {
  let directory = "";

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "weir-docs-config-"));
    const { cert, key } = selfSigned({ fromMs: Date.now() - 86_400_000, toMs: Date.now() + 365 * 86_400_000 });
    await writeFile(path.join(directory, "tls.crt"), cert);
    await writeFile(path.join(directory, "tls.key"), key);
  });

  afterAll(async () => rm(directory, { recursive: true, force: true }));

  it("is there to be found", () => {
    expect(examples.length).toBeGreaterThan(3);
    expect(blocks.length).toBeGreaterThan(5);
  });

  it.each([...examples, ...blocks])("loads without an error: $name", async ({ text }) => {
    const file = path.join(directory, "weir.yaml");
    await writeFile(file, withCertificatesOf(directory, text));
    const loaded = await loadConfig({ path: file, cwd: directory, env: ENV });
    expect(loaded.ok ? [] : loaded.diagnostics.map(formatDiagnostic)).toEqual([]);
  });
});

/** Certificates and keys under /etc are not on this machine: one pair stands for all. */
function withCertificatesOf(directory: string, text: string): string {
  return text
    .replaceAll(/\/etc\/[\w/.-]+\.key\b/g, path.join(directory, "tls.key"))
    .replaceAll(/\/etc\/[\w/.-]+\.(?:crt|pem)\b/g, path.join(directory, "tls.crt"));
}
