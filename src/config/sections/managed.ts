import { z } from "zod";

import { checked, checkedMembers } from "../fields/checked.ts";
import { findClientSettingsProblems } from "./managed-client-settings.ts";
import { findDesktopProblems } from "./managed-desktop.ts";

const name = (what: string) =>
  checked(z.string(), (value) => {
    if (value !== "") return null;
    return { message: `an empty ${what} matches nobody`, fix: "Remove the entry, or write the name." };
  });

const emailDomain = checked(z.string(), (value) => {
  const domain = normalDomain(value);
  const fix = "Write one bare domain, for example example.com; for several, write several policies.";
  if (domain === "") return { message: "is empty, and would match everybody or nobody", fix };
  if (/[@\s,]/.test(domain)) return { message: "must be one bare domain", fix };
  return null;
});

const match = z
  .strictObject({
    groups: z
      .array(name("group"))
      .min(1)
      .optional()
      .describe("Groups of the identity provider, in its exact spelling. Whoever is in one of them matches."),
    email_domain: emailDomain
      .optional()
      .describe("The part after the last `@` of the e-mail address, in any case. A leading `@` is left out."),
    emails: z
      .array(name("address"))
      .min(1)
      .optional()
      .describe("Whole e-mail addresses, in any case. Whoever has one of them matches."),
    teams: z
      .array(name("team"))
      .min(1)
      .optional()
      .describe("Teams of Weir, by name or id: for callers with keys, which carry no groups."),
  })
  .default({})
  .describe("Whom the policy is for; all conditions that are written must hold. `{}` matches everybody.");

const clientSettings = checkedMembers(z.record(z.string(), z.unknown()), findClientSettingsProblems);

const policy = z.strictObject({
  match,
  cli: clientSettings
    .optional()
    .describe(
      "A whole Claude Code `managed-settings.json`. Delivered to clients that sign in; `availableModels` is enforced by Weir too, whatever the client.",
    ),
  settings: clientSettings.optional().describe("Older name of `cli`, which counts where both are written."),
  desktop: checkedMembers(z.record(z.string(), z.unknown()), findDesktopProblems)
    .optional()
    .describe(
      "Settings of Claude Desktop, which Weir serves at `/user/bootstrap` once a policy has this key; `{}` is enough.",
    ),
});

/** Settings and model policies by group. */
export const managed = z
  .strictObject({
    policies: z
      .array(policy)
      .max(10_000)
      .default([])
      .describe(
        "Policies in order. The first whose `match` fits a caller applies, on top of the first that matches everybody.",
      ),
  })
  .prefault({})
  .describe("Managed settings and model policies for Claude Code and Claude Desktop, by group.");

/** Whether a policy is for everybody, and so the base of all others. */
export function isForAll(match: Readonly<Record<string, unknown>>): boolean {
  return Object.values(match).every((condition) => condition === undefined);
}

/** A domain as policies write it, in the form in which it is compared. */
export function normalDomain(text: string): string {
  return text.trim().replace(/^@/, "").toLowerCase();
}
