import { describe, expect, it } from "vitest";

import { PROFILE_NAMES } from "./schema.ts";
import { writeStarterConfig } from "./starter.ts";
import { loadText } from "./testing/config-directory.ts";

const ENV = {
  ANTHROPIC_API_KEY: "sk-ant-api03-b8Q2x7Lm5Zk9",
  WEIR_POSTGRES_URL: "postgres://weir:Kf8-Zq2-Lm5-Xw9@db.example.com/weir",
  WEIR_KEY_PEPPER: "qL7c0Vh2mR9xT4wB8nK1sZ6yD3fG5jP0",
};

describe.each(PROFILE_NAMES)("the starter file for %s", (profile) => {
  it("loads without complaint once its variables are set", async () => {
    const result = await loadText(writeStarterConfig(profile), { env: ENV });
    expect(result).toMatchObject({ ok: true, config: { profile }, warnings: [] });
  });

  it("loads, too, when the examples in its comments are put to use", async () => {
    const result = await loadText(uncomment(writeStarterConfig(profile)), { env: ENV });
    expect(result).toMatchObject({ ok: true, config: { pricing: { multiplier: 0.9 }, budgets: [{}, {}, {}] } });
  });
});

/** Turns commented-out settings into settings; leaves out prose, and files that exist on no test machine. */
function uncomment(text: string): string {
  const isProse = (line: string) => /^ *# [A-Z]/.test(line);
  const namesFile = (line: string) => /(tls|ca|cert|key):( \/etc\/.*)?$/.test(line) && line.trimStart().startsWith("#");
  return text
    .split("\n")
    .filter((line) => !isProse(line) && (!namesFile(line) || /^#   key:$/.test(line)))
    .map((line) => line.replace(/^( *)# /, "$1"))
    .join("\n");
}
