import { canonicalModel } from "../../message/models.ts";
import type { Finding } from "../finding.ts";
import { didYouMean } from "../did-you-mean.ts";
import { quoted } from "../quoted.ts";
import type { Config } from "../schema.ts";
import { refusal, type Rule } from "./rule.ts";

/** The ledger, prices and metrics speak of upstreams by name. */
export const upstreamNamesDiffer: Rule = ({ config: { upstreams } }) =>
  upstreams.flatMap(({ name }, i): Finding[] => {
    const first = upstreams.findIndex((other) => other.name === name);
    if (first === i) return [];
    return [
      refusal("duplicate_name", ["upstreams", i, "name"], {
        message: `upstreams[${first}] is already named ${name}`,
        fix: "Give each upstream a name of its own; without one it is named for its provider.",
      }),
    ];
  });

/** The sandbox makes answers up. */
export const sandboxIsNotInProd: Rule = ({ config: { upstreams, profile: name }, profile }) => {
  if (profile.sandbox === "allowed") return [];
  return upstreams.flatMap(({ provider }, i): Finding[] => {
    if (provider !== "sandbox") return [];
    return [
      refusal("sandbox_in_prod", ["upstreams", i], {
        message: `the sandbox makes its answers up, so the ${name} profile does not take it`,
        fix: "Name a real upstream under upstreams, or set ANTHROPIC_API_KEY where Weir is started.",
      }),
    ];
  });
};

/** What to say of a name that no upstream has; null when one has it. */
export function unknownUpstream(config: Config, name: string): { message: string; fix: string } | null {
  const names = config.upstreams.map((upstream) => upstream.name);
  if (names.includes(name)) return null;
  const [near] = didYouMean(name, names);
  return {
    message: `no upstream is named ${quoted(name)}`,
    fix: near === undefined ? `Use one of: ${names.join(", ")}. Otherwise remove it.` : `Did you mean ${near}?`,
  };
}

/** The same for all spellings of one built-in model: dated, regional or in another case. */
export function modelIdentity(id: string): string {
  return canonicalModel(id) ?? id.toLowerCase();
}
