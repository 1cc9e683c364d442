import { WeirError } from "../../core/weir-error.ts";
import { canonicalModel } from "../../message/models.ts";
import { allowsModel, checkAccess } from "../../policy/access/access-policy.ts";
import { policyAllowsModel } from "../../policy/access/model-policy.ts";
import type { ListedModel } from "../../routing/route-table.ts";
import { required, type Exchange } from "../exchange.ts";
import { decodedSegment } from "../http/decoded-segment.ts";
import { sendJson } from "../http/json-response.ts";

/** Release date shown for every model; clients want one and Weir has none of its own. */
const CREATED_AT = "2026-01-01T00:00:00Z";
const CREATED_AT_SECONDS = Date.parse(CREATED_AT) / 1_000;
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1_000;

/** `GET /v1/models` and `/v1/models/{id}`: what the caller's key and policy allow, in the Models API's shape and paging, readable as OpenAI's list too. */
export function serveModels(exchange: Exchange, rest: string): void {
  const identity = required(exchange.identity, "identity");
  const { key } = identity;
  checkAccess(key, { endpoint: "models", model: null, client: exchange });
  const { routes, managed } = exchange.snapshot;
  const models = routes.listed.filter(
    ({ id }) => allowsModel(key.scopes, id) && policyAllowsModel(managed, identity, id) && routes.resolve(id) !== null,
  );
  if (rest !== "") {
    const id = decodedSegment(rest.slice(1));
    const model = models.find((candidate) => candidate.id === id);
    if (model === undefined) throw new WeirError("weir:model:unknown", `model: ${id}`);
    if (isSandbox(exchange, model)) exchange.response.setHeader("x-weir-sandbox", "1");
    sendJson(exchange, 200, entry(exchange, model));
    return;
  }
  // A list in which something is made up says so, like an answer that is.
  if (models.some((model) => isSandbox(exchange, model))) exchange.response.setHeader("x-weir-sandbox", "1");
  sendJson(exchange, 200, page(exchange, models));
}

function page(exchange: Exchange, models: readonly ListedModel[]): object {
  const query = new URL(exchange.upstreamPath, "http://weir").searchParams;
  const limit = limitOf(query.get("limit"));
  const after = query.get("after_id");
  const before = query.get("before_id");
  let start = after === null ? 0 : positionOf(after, models, "after_id") + 1;
  let end = start + limit;
  if (before !== null) {
    end = positionOf(before, models, "before_id");
    start = Math.max(0, end - limit);
  }
  const shown = models.slice(start, end);
  return {
    // OpenAI's SDKs read the same list; what they look at stands beside what Anthropic's do.
    object: "list",
    data: shown.map((model) => entry(exchange, model)),
    has_more: before === null ? end < models.length : start > 0,
    first_id: shown[0]?.id ?? null,
    last_id: shown.at(-1)?.id ?? null,
  };
}

function positionOf(id: string, models: readonly ListedModel[], parameter: string): number {
  const position = models.findIndex((model) => model.id === id);
  if (position < 0) throw new WeirError("weir:request:invalid_field", `${parameter}: no model has the id ${id}`);
  return position;
}

function limitOf(text: string | null): number {
  if (text === null) return DEFAULT_LIMIT;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new WeirError("weir:request:invalid_field", `limit must be a whole number from 1 to ${MAX_LIMIT}`);
  }
  return limit;
}

function isSandbox(exchange: Exchange, { id }: ListedModel): boolean {
  return exchange.snapshot.routes.resolve(id)?.targets[0]?.upstream.isSandbox === true;
}

function entry(exchange: Exchange, model: ListedModel): object {
  const sandbox = isSandbox(exchange, model);
  return {
    type: "model",
    id: model.id,
    display_name: sandbox ? `${model.label} (sandbox)` : model.label,
    created_at: CREATED_AT,
    object: "model",
    created: CREATED_AT_SECONDS,
    owned_by: canonicalModel(model.id) === null ? "organization" : "anthropic",
    ...(model.description === null ? {} : { description: model.description }),
  };
}
