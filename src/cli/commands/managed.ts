import type { Command } from "commander";

import { configuredPolicies } from "../../policy/managed/configured-policies.ts";
import { type ExplainedLeaf, explainPolicy } from "../../policy/managed/explain-policy.ts";
import type { PolicySubject } from "../../policy/managed/policy-match.ts";
import type { CommonOptions } from "../cli-context.ts";
import { EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import { configInvalid } from "../error-report.ts";
import { explanationText } from "../managed/explanation-text.ts";

const EXAMPLES = [
  { line: "weir managed explain --groups contractors" },
  { line: "weir managed explain --groups eng,eu --email ada@example.com --json | jq .settings" },
];

interface Options extends CommonOptions {
  readonly groups?: string;
  readonly email?: string;
  readonly team?: string;
}

/** `weir managed`. */
export function managedCommand(host: Host): Command {
  const explain = defineCommand({
    name: "explain",
    summary: "say which settings somebody gets, and which policy set what",
    description:
      "Says which managed settings and models somebody would get: the policy that matches, what it is merged with, and for each value who set it and who is not heard. Reads the configuration alone and changes nothing. Exit 1 when no policy matches.",
    examples: EXAMPLES,
  })
    .option("--groups <names>", "groups of the person at the identity provider, with commas between")
    .option("--email <address>", "the person's e-mail address")
    .option("--team <name>", "the person's team in Weir, by name or id");
  addInstallationOptions(explain).action(async (options: Options) => host.finish(await explainPerson(host, options)));
  return defineCommand({
    name: "managed",
    summary: "see who gets which managed settings",
    examples: [{ line: "weir managed explain --groups contractors" }],
  }).addCommand(explain);
}

async function explainPerson(host: Host, options: Options): Promise<number> {
  const output = outputFor(host, options);
  const loaded = await host.context.loadConfig(options);
  if (!loaded.ok) throw configInvalid(loaded.diagnostics);
  const subject = subjectOf(options);
  const { policies, telemetryEnv } = configuredPolicies(loaded.config);
  const effective = policies.choose(subject);
  if (effective === null) {
    output.result({ policy: null, settings: null, models: null }, () => [
      "No policy matches: no managed settings, and every model that Weir serves.",
    ]);
    return EXIT.negative;
  }
  const explained = explainPolicy(effective, loaded.config.managed.policies, telemetryEnv);
  const { settings, checksum, models, desktop } = effective;
  const document = {
    policy: explained.policy,
    base: explained.base,
    models: models?.entries ?? null,
    checksum,
    settings,
    desktop,
    values: explained.leaves.map(leafDocument),
    desktop_values: explained.desktop?.map(leafDocument) ?? null,
  };
  output.result(document, () => explanationText(effective, explained, output.style));
  return EXIT.ok;
}

/** The values themselves keep their keys, which are Claude Code's. */
function leafDocument({ path, value, setBy, insteadOf }: ExplainedLeaf): object {
  return { path, value, set_by: setBy, instead_of: insteadOf };
}

function subjectOf({ groups, email, team }: Options): PolicySubject {
  const named = (groups ?? "").split(",").map((group) => group.trim());
  return {
    groups: named.filter((group) => group !== ""),
    email: email ?? null,
    team: team === undefined ? null : { id: team, name: team },
  };
}
