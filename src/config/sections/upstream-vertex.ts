import { z } from "zod";

import { checkedMembers } from "../fields/checked.ts";
import { cloudRegion, googleProject } from "../fields/cloud-name.ts";
import { googleAuthFields, googleAuthProblems } from "./auth-google.ts";
import { upstreamName } from "./upstream-common.ts";
import { connectionFields, derivedBaseUrl } from "./upstream-connection.ts";
import { placeFields, trafficFields } from "./upstream-traffic.ts";

const auth = checkedMembers(z.strictObject(googleAuthFields), googleAuthProblems);

/** Google Cloud's Agent Platform (Vertex AI). */
export const vertexUpstream = z.strictObject({
  provider: z.literal("vertex").describe("Google Cloud's Agent Platform (Vertex AI), by rawPredict."),
  name: upstreamName("vertex"),
  region: cloudRegion("us-east5").describe(
    "Location that serves: a region such as `us-east5` pins every request to it; `us` and `eu` stay within that geography; `global` lets Google choose.",
  ),
  project_id: googleProject().describe("Google Cloud project that the models are enabled in."),
  auth: auth
    .prefault({})
    .describe(
      "The credential. Empty: Application Default Credentials (`GOOGLE_APPLICATION_CREDENTIALS`, then gcloud's, then the attached service account or GKE workload identity), renewed by itself.",
    ),
  base_url: derivedBaseUrl(
    "the `aiplatform` endpoint of `region`",
    "Set it for Private Service Connect; what stands before `/v1/projects`.",
  ),
  ...placeFields("gcp"),
  ...trafficFields,
  ...connectionFields,
});
