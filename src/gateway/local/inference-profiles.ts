import { WeirError } from "../../core/weir-error.ts";
import { canonicalModel } from "../../message/models.ts";
import { allowsModel, checkAccess } from "../../policy/access/access-policy.ts";
import { policyAllowsModel } from "../../policy/access/model-policy.ts";
import {
  findInferenceProfile,
  listInferenceProfiles,
  type ProfileModel,
} from "../../wire/bedrock/inference-profiles.ts";
import { bedrockModelId } from "../../wire/bedrock/model-ids.ts";
import { required, type Exchange } from "../exchange.ts";
import { decodedSegment } from "../http/decoded-segment.ts";
import { sendJson } from "../http/json-response.ts";

/** Shown in ARNs; Weir is in no region, and takes a model's name in any spelling. */
const REGION = "us-east-1";

/** `GET /inference-profiles` and `/inference-profiles/{id}`: what the caller's key may use, as Bedrock lists it. */
export function serveInferenceProfiles(exchange: Exchange, rest: string): void {
  const identity = required(exchange.identity, "identity");
  const { key } = identity;
  checkAccess(key, { endpoint: "inference_profiles", model: null, client: exchange });
  const { routes, managed } = exchange.snapshot;
  const models = routes.listed
    .filter(
      ({ id }) =>
        allowsModel(key.scopes, id) && policyAllowsModel(managed, identity, id) && routes.resolve(id) !== null,
    )
    .map(({ id, label }): ProfileModel => ({ id: bedrockName(id), label }));
  if (rest === "") {
    const query = new URL(exchange.upstreamPath, "http://weir").searchParams;
    const asked = { type: query.get("type"), maxResults: query.get("maxResults"), nextToken: query.get("nextToken") };
    sendJson(exchange, 200, listInferenceProfiles(models, asked, REGION));
    return;
  }
  const asked = decodedSegment(rest.slice(1));
  const profile = findInferenceProfile(models, asked, REGION);
  if (profile === null) throw new WeirError("weir:model:unknown", `inference profile: ${asked}`);
  sendJson(exchange, 200, profile);
}

/** Built-in models as Bedrock calls them; configured ones have the name that they were given. */
function bedrockName(id: string): string {
  return canonicalModel(id) === id ? (bedrockModelId(id, "us") ?? id) : id;
}
