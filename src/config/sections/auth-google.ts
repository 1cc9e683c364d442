import { z } from "zod";

import type { MemberProblem } from "../fields/checked.ts";
import { filePath } from "../fields/file-path.ts";

/** Google credentials. Nothing set is Application Default Credentials. */
export const googleAuthFields = {
  service_account_json: filePath()
    .optional()
    .describe(
      "Path of a service account's JSON key file: the path, not the content. Prefer workload identity: keys do not renew themselves.",
    ),
  workload_identity_json: filePath()
    .optional()
    .describe(
      "Path of the JSON file that `gcloud iam workload-identity-pools create-cred-config` writes: how to exchange another cloud's identity for Google's. It holds no secret.",
    ),
};

const googleAuth = z.strictObject(googleAuthFields);
export type GoogleAuth = z.output<typeof googleAuth>;

/** What does not go together in Google credentials. */
export function googleAuthProblems(auth: GoogleAuth): MemberProblem[] {
  if (auth.service_account_json === undefined || auth.workload_identity_json === undefined) return [];
  return [
    {
      path: ["workload_identity_json"],
      message: "service_account_json and workload_identity_json exclude each other",
      fix: "Remove one of the two; workload_identity_json needs no key.",
    },
  ];
}
