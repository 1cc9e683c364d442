import { z } from "zod";

import type { MemberProblem } from "../fields/checked.ts";
import { arn, label, opaqueId } from "../fields/cloud-name.ts";
import { baseUrl } from "../fields/network.ts";
import { secret } from "../fields/secret.ts";

/** AWS credentials. Nothing set is AWS's own default chain. */
export const awsAuthFields = {
  aws_access_key_id: opaqueId("AKIAIOSFODNN7EXAMPLE")
    .optional()
    .describe("Id of an access key; needs `aws_secret_access_key`. Prefer a role: keys do not renew themselves."),
  aws_secret_access_key: secret().optional().describe("Secret of the access key."),
  aws_session_token: secret()
    .optional()
    .describe("Session token of temporary credentials. They are not renewed: for that, use a role."),
  aws_profile: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Profile of `~/.aws/config` and `~/.aws/credentials` to take instead of the default one; it may use SSO, `credential_process` or a web identity.",
    ),
  aws_role_arn: arn("iam", "arn:aws:iam::111122223333:role/weir")
    .optional()
    .describe(
      "Role to assume with the credentials given besides, or with the default chain's; renewed before it ends.",
    ),
  aws_role_session_name: label()
    .optional()
    .describe("Name of the assumed role's session in CloudTrail; `weir` unless set."),
  aws_external_id: secret()
    .optional()
    .describe("External id that the role's trust policy asks for. Treated as a secret."),
  aws_role_duration_seconds: z
    .int()
    .min(900)
    .max(43_200)
    .optional()
    .describe(
      "How long an assumed role's session lasts, in seconds: an hour unless set, which is also the most for a role assumed by a role. It is renewed before it ends either way.",
    ),
  aws_sts_url: baseUrl()
    .optional()
    .describe("Address of AWS STS, for a VPC endpoint or FIPS; the one of `region` unless set."),
};

const awsAuth = z.strictObject(awsAuthFields);
export type AwsAuth = z.output<typeof awsAuth>;

const ROLE_FIELDS = ["aws_role_session_name", "aws_external_id", "aws_role_duration_seconds", "aws_sts_url"] as const;
const KEY_FIELDS = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"] as const;

/** What does not go together in AWS credentials. `fix`es speak of `auth`. */
export function awsAuthProblems(auth: AwsAuth): MemberProblem[] {
  const problems = [...keyProblems(auth), ...sourceProblems(auth)];
  const roleOnly = ROLE_FIELDS.filter((field) => auth[field] !== undefined && auth.aws_role_arn === undefined);
  for (const field of roleOnly) {
    problems.push({
      path: [field],
      message: `${field} is of use only with aws_role_arn, which is not set`,
      fix: "Set auth.aws_role_arn to the role to assume, or remove it.",
    });
  }
  return problems;
}

function keyProblems(auth: AwsAuth): MemberProblem[] {
  const hasId = auth.aws_access_key_id !== undefined;
  const hasSecret = auth.aws_secret_access_key !== undefined;
  if (hasId !== hasSecret) {
    const missing = hasId ? "aws_secret_access_key" : "aws_access_key_id";
    return [
      {
        path: [missing],
        message: `${missing} is missing: an access key has both an id and a secret`,
        fix: `Set auth.${missing} as well, or remove the other for the default credential chain.`,
      },
    ];
  }
  if (auth.aws_session_token === undefined || hasId) return [];
  return [
    {
      path: ["aws_session_token"],
      message: "a session token alone is no credential",
      fix: "Set aws_access_key_id and aws_secret_access_key as well, or remove it for the default credential chain.",
    },
  ];
}

/** A role may be assumed with either of the sources, but there is only one. */
function sourceProblems(auth: AwsAuth): MemberProblem[] {
  const key = KEY_FIELDS.find((field) => auth[field] !== undefined);
  if (key === undefined || auth.aws_profile === undefined) return [];
  return [
    {
      path: ["aws_profile"],
      message: `${key} and aws_profile exclude each other: it would not be clear which is used`,
      fix: "Remove one of the two.",
    },
  ];
}
