import { z } from "zod";

import { checkedMembers, type MemberProblem } from "../fields/checked.ts";
import { secret } from "../fields/secret.ts";
import { type AwsAuth, awsAuthFields, awsAuthProblems } from "./auth-aws.ts";

/** The credential of an upstream in Bedrock: AWS credentials, or a token. */
export const bedrockAuth = checkedMembers(
  z.strictObject({
    ...awsAuthFields,
    aws_bearer_token: secret()
      .optional()
      .describe("Bedrock API key, sent as `Authorization: Bearer` instead of a signature. Reread on reload."),
  }),
  ({ aws_bearer_token: bearer, ...keys }) => [
    ...awsAuthProblems(keys),
    ...(bearer === undefined ? [] : bearerProblems(keys)),
  ],
);

function bearerProblems(keys: AwsAuth): MemberProblem[] {
  const other = Object.entries(keys).find(([, value]) => value !== undefined)?.[0];
  if (other === undefined) return [];
  return [
    {
      path: ["aws_bearer_token"],
      message: `aws_bearer_token and ${other} exclude each other: a request is signed or carries a token, not both`,
      fix: "Remove aws_bearer_token, or everything else under auth.",
    },
  ];
}
