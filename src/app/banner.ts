/** What the banner tells. */
export interface BannerFacts {
  readonly version: string;
  readonly url: string;
  readonly adminUrl: string;
  readonly profile: string;
  readonly sandbox: boolean;
  readonly upstreams: readonly string[];
  readonly configFiles: readonly string[];
  readonly dataDir: string;
  readonly seconds: number;
  /** The first key, on the start that made it. */
  readonly secret: string | null;
}

/** What `weir serve` prints when it is ready: where to go, and the two lines that put Claude Code behind it. */
export function banner(facts: BannerFacts): string {
  const { url, secret } = facts;
  const lines = [
    "",
    `  Weir ${facts.version} is ready after ${facts.seconds.toFixed(1)} s`,
    "",
    `  Gateway    ${url}`,
    `  Metrics    ${facts.adminUrl}/metrics`,
    `  Upstreams  ${facts.upstreams.join(", ")}`,
    `  Profile    ${facts.profile}${facts.configFiles.length === 0 ? " (no weir.yaml; built-in defaults)" : ` (${facts.configFiles.join(", ")})`}`,
    `  Data       ${facts.dataDir}`,
    "",
  ];
  if (facts.sandbox) {
    lines.push(
      "  SANDBOX: answers are made up and cost nothing. Set ANTHROPIC_API_KEY and start again for the real API.",
      "",
    );
  }
  if (secret === null) {
    lines.push("  Your key was shown at the first start. Another one: npm run weir -- keys create --name <name>", "");
    lines.push("  Put Claude Code behind Weir:", "", `    export ANTHROPIC_BASE_URL=${url}`);
    lines.push("    export ANTHROPIC_AUTH_TOKEN=<your key>", "");
  } else {
    lines.push("  Your first key; it is shown only this once:", "", `    ${secret}`, "");
    lines.push("  Put Claude Code behind Weir:", "", `    export ANTHROPIC_BASE_URL=${url}`);
    lines.push(`    export ANTHROPIC_AUTH_TOKEN=${secret}`, "");
  }
  return `${lines.join("\n")}\n`;
}
