import { WeirError } from "../../core/weir-error.ts";

/** A model that clients of Bedrock may name: a profile's id, or an application profile's ARN. */
export interface ProfileModel {
  readonly id: string;
  readonly label: string;
}

/** The query of `GET /inference-profiles`; null for what is not there. */
export interface ProfileQuery {
  readonly type: string | null;
  readonly maxResults: string | null;
  readonly nextToken: string | null;
}

/** As in ListInferenceProfiles and GetInferenceProfile of Bedrock. */
export interface InferenceProfile {
  readonly inferenceProfileId: string;
  readonly inferenceProfileName: string;
  readonly inferenceProfileArn: string;
  readonly models: readonly { readonly modelArn: string }[];
  readonly status: "ACTIVE";
  readonly type: "SYSTEM_DEFINED" | "APPLICATION";
}

export interface ProfilePage {
  readonly inferenceProfileSummaries: readonly InferenceProfile[];
  readonly nextToken?: string;
}

const MAX_RESULTS = 1_000;
/** ARNs name an account; Weir's has none. */
const ACCOUNT = "000000000000";
const GEO_PREFIX = /^[a-z-]+\.(?=anthropic\.)/;

/**
 * One page of the profiles. Claude Code asks for `type=SYSTEM_DEFINED`, follows `nextToken`, and takes the ids that
 * contain `anthropic`. Throws WeirError for a query that Bedrock would refuse.
 */
export function listInferenceProfiles(
  models: readonly ProfileModel[],
  query: ProfileQuery,
  region: string,
): ProfilePage {
  const type = query.type ?? "";
  if (type !== "" && type !== "SYSTEM_DEFINED" && type !== "APPLICATION") {
    throw new WeirError("weir:request:invalid_field", "type must be SYSTEM_DEFINED or APPLICATION");
  }
  const size = pageSize(query.maxResults);
  const start = offsetOf(query.nextToken);
  const profiles = models.map((model) => profileOf(model, region)).filter((one) => type === "" || one.type === type);
  const inferenceProfileSummaries = profiles.slice(start, start + size);
  if (start + size >= profiles.length) return { inferenceProfileSummaries };
  return { inferenceProfileSummaries, nextToken: tokenOf(start + size) };
}

/** The profile with this id or ARN, whose model tells clients what is behind it; null when there is none. */
export function findInferenceProfile(
  models: readonly ProfileModel[],
  identifier: string,
  region: string,
): InferenceProfile | null {
  const profiles = models.map((model) => profileOf(model, region));
  return (
    profiles.find(
      ({ inferenceProfileId, inferenceProfileArn }) =>
        inferenceProfileId === identifier || inferenceProfileArn === identifier,
    ) ?? null
  );
}

function profileOf({ id, label }: ProfileModel, region: string): InferenceProfile {
  const isArn = id.startsWith("arn:");
  const bare = id.slice(id.lastIndexOf("/") + 1);
  return {
    inferenceProfileId: isArn ? bare : id,
    inferenceProfileName: label,
    inferenceProfileArn: isArn ? id : `arn:aws:bedrock:${region}:${ACCOUNT}:inference-profile/${id}`,
    models: [{ modelArn: `arn:aws:bedrock:${region}::foundation-model/${bare.replace(GEO_PREFIX, "")}` }],
    status: "ACTIVE",
    type: id.includes(":application-inference-profile/") ? "APPLICATION" : "SYSTEM_DEFINED",
  };
}

function pageSize(maxResults: string | null): number {
  if (maxResults === null) return MAX_RESULTS;
  const size = Number(maxResults);
  if (/^\d{1,4}$/.test(maxResults) && size >= 1 && size <= MAX_RESULTS) return size;
  throw new WeirError("weir:request:invalid_field", `maxResults must be a number from 1 to ${MAX_RESULTS}`);
}

function tokenOf(offset: number): string {
  return Buffer.from(String(offset)).toString("base64url");
}

function offsetOf(token: string | null): number {
  if (token === null) return 0;
  const offset = Buffer.from(token, "base64url").toString("utf8");
  if (/^\d{1,9}$/.test(offset)) return Number(offset);
  throw new WeirError("weir:request:invalid_field", "nextToken is not one that this endpoint gave");
}
