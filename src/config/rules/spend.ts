import { refusal, type Rule } from "./rule.ts";

/** `gateway.yaml` refuses it too: without `admin` nothing would be enforced that could fail closed. */
export const failClosedNeedsAdmin: Rule = ({ config: { enforcement, admin } }) => {
  if (!enforcement.fail_closed_on_error || admin !== undefined) return [];
  return [
    refusal("needs_admin", ["enforcement", "fail_closed_on_error"], {
      message: "enforcement.fail_closed_on_error is about the limits of `admin`, and there is no such section",
      fix: "Add `admin`, or remove the setting: limits under `budgets` are always enforced.",
    }),
  ];
};

/** A budget on a tag that nobody can name would never be spent from. */
export const budgetedTagsAreAllowed: Rule = ({ config: { budgets, tags } }) =>
  budgets.flatMap(({ scope, name }, at) => {
    if (scope !== "tag" || name === undefined || tags.allowed.includes(name)) return [];
    return [
      refusal("unknown_tag", ["budgets", at, "name"], {
        message: `no request can name the tag ${JSON.stringify(name)}`,
        fix: "Add it to tags.allowed.",
      }),
    ];
  });
