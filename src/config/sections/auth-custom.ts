import { z } from "zod";

import { checkedMembers } from "../fields/checked.ts";
import { cloudRegion, googleProject, label } from "../fields/cloud-name.ts";
import { tokenFilePath } from "../fields/file-path.ts";
import { secret } from "../fields/secret.ts";
import { awsAuthFields, awsAuthProblems } from "./auth-aws.ts";
import { entraAuthFields, entraAuthProblems, entraScope } from "./auth-entra.ts";
import { googleAuthFields, googleAuthProblems } from "./auth-google.ts";
import { credentialHeaderName } from "./upstream-common.ts";

const type = <T extends string>(name: T, meaning: string) => z.literal(name).describe(meaning);

const none = z.strictObject({ type: type("none", "No credential, for a server that asks for none.") });

const bearer = z.strictObject({
  type: type("bearer", "A token as `Authorization: Bearer`."),
  token: secret().describe("The token. Reread on reload."),
});

const header = z.strictObject({
  type: type("header", "A key in a header of the server's choice."),
  name: credentialHeaderName.describe("Name of the header, for example `x-api-key` or `api-key`."),
  value: secret().describe("Value of the header. Reread on reload."),
});

const tokenFile = z.strictObject({
  type: type("token_file", "A token that something else keeps fresh in a file."),
  file: tokenFilePath().describe("The file. Reread by itself, so the token may be renewed in place."),
  header: credentialHeaderName
    .optional()
    .describe("Header that it is sent in as it is; `Authorization: Bearer` unless set."),
});

const sigv4 = checkedMembers(
  z.strictObject({
    type: type("sigv4", "A signature with AWS credentials; nothing else set is AWS's default chain."),
    service: label().describe("Service to sign for: `sagemaker`, `bedrock`, `execute-api`, `lambda`."),
    region: cloudRegion("us-east-1").describe("AWS region to sign for."),
    ...awsAuthFields,
  }),
  awsAuthProblems,
);

const google = checkedMembers(
  z.strictObject({
    type: type("google", "A Google access token; nothing else set is Application Default Credentials."),
    project_id: googleProject().describe(
      "Google Cloud project that the endpoint belongs to; without it one would be looked for over the network.",
    ),
    ...googleAuthFields,
  }),
  googleAuthProblems,
);

const entra = checkedMembers(
  z.strictObject({
    type: type("entra", "An Entra ID token; nothing else set is Azure's default chain."),
    azure_scope: entraScope.describe("What tokens are asked for, such as `https://ml.azure.com/.default`."),
    ...entraAuthFields,
  }),
  entraAuthProblems,
);

/** The credential of a custom endpoint. */
export const customAuth = z.discriminatedUnion("type", [none, bearer, header, tokenFile, sigv4, google, entra]);
