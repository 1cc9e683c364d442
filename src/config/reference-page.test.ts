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
    // What all kinds of upstream have alike is listed once.
    const settings = new Set(
      CONFIG_FIELDS.map(({ path, variant }) => (variant === null ? path : `${path} ${variant}`)),
    );
    const alike = page.split("### Every kind").slice(1).join("").split("\n## ")[0] ?? "";
    const repeated = alike.split("\n").filter((line) => line.startsWith("| `")).length * 9;
    expect(rows + repeated).toBeGreaterThan(settings.size - sectionsOwn);
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

  it("tells the kinds of upstream apart, and the kinds of credential within one", () => {
    const kinds = page.split(/^### /m).slice(1);
    const custom = kinds.find((text) => text.startsWith("`provider: custom`")) ?? "";
    expect(custom).toContain("| `auth.service` | text | required | `type: sigv4`: Service to sign for");
    expect(custom).not.toContain("| `project_id` |");
    expect(kinds.find((text) => text.startsWith("`kind: active_passive`"))).toContain(
      "| `deployment.failover_triggers.error_rate_percent` |",
    );
  });

  it("tells where Weir goes further than gateway.yaml", () => {
    expect(page).toContain("## Where Weir goes further than `gateway.yaml`");
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
