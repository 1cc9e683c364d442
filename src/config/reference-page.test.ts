import { describe, expect, it } from "vitest";

import { CONFIG_FIELDS } from "./config-fields.ts";
import { configReference } from "./reference-page.ts";
import { configSchema } from "./schema.ts";

const page = configReference();

/** The row of a key within a section's table. */
function rowOf(section: string, key: string): string {
  const part = page.split(/^## /m).find((text) => text.startsWith(section)) ?? "";
  return part.split("\n").find((line) => line.startsWith(`| \`${key}\` |`)) ?? "";
}

describe("the reference page", () => {
  it("has a row for every setting", () => {
    const rows = page.split("\n").filter((line) => line.startsWith("| `")).length;
    const sectionsOwn = Object.keys(configSchema.shape).length;
    expect(rows).toBeGreaterThan(CONFIG_FIELDS.length - sectionsOwn);
  });

  it("tells type, default, what profiles change, and the meaning", () => {
    expect(rowOf("`log`", "format")).toBe(
      "| `format` | `json`, `pretty` | `json`; dev: `pretty` | `json` for collectors, `pretty` for a terminal. |",
    );
    expect(rowOf("`listen`", "port")).toContain("whole number ≥ 0, ≤ 65535 | `8080`");
    expect(rowOf("`pricing`", "multiplier")).toContain("number > 0, ≤ 10");
    expect(rowOf("`admission`", "teams.<name>.tokens_per_minute")).toContain("or `unlimited` | none");
    expect(rowOf("`upstreams`", "auth.api_key")).toContain("Never shown.");
  });

  it("tells what this version does not have", () => {
    for (const name of ["oidc", "managed", "bedrock"]) expect(rowOf("Parts of `gateway.yaml`", name)).toContain(" | ");
  });

  it("has tables that no cell breaks", () => {
    const tables = page.split("\n").filter((line) => line.startsWith("|"));
    const columns = (line: string) => line.replaceAll(String.raw`\|`, "").split("|").length;
    for (const [i, line] of tables.entries()) {
      const header = tables.slice(0, i + 1).findLast((candidate) => candidate.startsWith("|---"));
      if (header !== undefined && line.startsWith("| `")) expect(columns(line)).toBe(columns(header));
    }
  });
});
