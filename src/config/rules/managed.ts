import type { Finding } from "../finding.ts";
import { isForAll } from "../sections/managed.ts";
import { unknownClientSettings } from "../sections/managed-client-settings.ts";
import { type Rule, warning } from "./rule.ts";

/** The first policy that fits is chosen: what stands after one that fits everybody never is. */
export const policiesAreReached: Rule = ({ config: { managed } }) => {
  const forAll = managed.policies.findIndex(({ match }) => isForAll(match));
  if (forAll < 0 || forAll === managed.policies.length - 1) return [];
  return [
    warning("policy_unreachable", ["managed", "policies", forAll + 1], {
      message: `this policy and all after it are never chosen: managed.policies[${forAll}] matches everybody and stands before them`,
      fix: "Move the policy that matches everybody to the end.",
    }),
  ];
};

/** Clients may be newer than Weir, so these are delivered; but a slip would go unseen. */
export const clientSettingsAreKnown: Rule = ({ config: { managed } }) =>
  managed.policies.flatMap((policy, i) =>
    (["cli", "settings"] as const).flatMap((block): Finding[] =>
      unknownClientSettings(policy[block] ?? {}).map((key) => ({
        ...warning("unknown_client_setting", ["managed", "policies", i, block, key], {
          message: `no Claude Code that Weir knows has the setting ${JSON.stringify(key)}; it is delivered as written`,
          fix: "Check its spelling. Nothing is needed if your clients are newer than this Weir.",
        }),
        atKey: true,
      })),
    ),
  );

/** Claude Desktop is told where its gateway is, and Weir never derives that from what a client sends. */
export const desktopKnowsItsGateway: Rule = ({ config: { managed, telemetry, listen } }) => {
  if (listen.public_url !== undefined) return [];
  const desktop = managed.policies.findIndex((policy) => policy.desktop !== undefined);
  const findings: Finding[] = [];
  if (desktop >= 0) {
    findings.push(
      warning("public_url_missing", ["managed", "policies", desktop, "desktop"], {
        message: "Claude Desktop is told the local address of this Weir, because listen.public_url is not set",
        fix: "Set listen.public_url to the address that clients use.",
      }),
    );
  }
  if (telemetry.forward_to.length > 0) {
    findings.push(
      warning("public_url_missing", ["telemetry", "forward_to"], {
        message: "clients are not told to send telemetry here, because listen.public_url is not set",
        fix: "Set listen.public_url to the address that clients use.",
      }),
    );
  }
  return findings;
};
