import { WeirError } from "../../core/weir-error.ts";
import type { OwnedObject } from "../../store/ports/owned-objects.ts";
import { required, type Exchange } from "../exchange.ts";
import { sendJson } from "../http/json-response.ts";
import type { GatewayServices } from "../services.ts";
import { clientSignal, withOwnLinks } from "./answer-client.ts";
import { askUpstream, readWhole } from "./ask-upstream.ts";
import { parseJsonObject, type JsonObject } from "./json-object.ts";
import { LIST_CONCURRENCY, livePage, type ListPage } from "./list-page.ts";
import { readListQuery, type ListQuery } from "./list-query.ts";
import { mapBounded } from "./map-bounded.ts";
import { followUpHeaders } from "./object-headers.ts";
import { upstreamNamed } from "./object-upstreams.ts";
import { BASE_PATH, type ObjectKind } from "./operation.ts";
import { ownerOf, owns } from "./ownership.ts";
import { stored } from "./store-failure.ts";

/**
 * `GET` on a collection: the caller's own objects from Weir's records, each as its upstream has it now. The upstream's own
 * list is of no use: it shows everybody's.
 */
export async function listObjects(exchange: Exchange, services: GatewayServices, kind: ObjectKind): Promise<void> {
  const query = readListQuery(kind, exchange.upstreamPath);
  const state = presentState(exchange, query.rest);
  const owner = ownerOf(required(exchange.identity, "identity"));
  const { objects } = services;
  const page =
    query.ids !== null
      ? await chosen(query.ids, (id) => ownState(exchange, services, { kind, id, state }))
      : await livePage<OwnedObject>(query, {
          state,
          records: ({ limit, afterId, beforeId }) =>
            stored(`list what is yours`, () =>
              objects.list({
                ...owner,
                kind,
                limit,
                ...(afterId === null ? {} : { afterId }),
                ...(beforeId === null ? {} : { beforeId }),
              }),
            ),
        });
  if (!exchange.clientGone) sendJson(exchange, 200, pageDocument(kind, page));
}

type StateOf = (record: OwnedObject) => Promise<JsonObject | null>;

/** Looks an object up where it lives; null when it, or its upstream, is there no more. */
function presentState(exchange: Exchange, query: string): StateOf {
  const signal = clientSignal(exchange);
  return async ({ kind, id, target }) => {
    const upstream = upstreamNamed(exchange.snapshot.routes, target);
    if (upstream === null) return null;
    const path = `${BASE_PATH[kind]}/${id}${query}`;
    const headers = followUpHeaders(exchange, upstream);
    const answer = await askUpstream(upstream, { path, method: "GET", headers, body: null }, signal);
    const object = parseJsonObject(await readWhole(answer));
    if (answer.status === 404) return null;
    if (answer.status !== 200 || object === null) {
      throw new WeirError("weir:upstream:failed", `${target} answered ${answer.status} when asked for ${id}.`);
    }
    return withOwnLinks(exchange, object);
  };
}

async function ownState(
  exchange: Exchange,
  services: GatewayServices,
  { kind, id, state }: { kind: ObjectKind; id: string; state: StateOf },
): Promise<JsonObject | null> {
  const object = await stored("look up who owns this", () => services.objects.get(kind, id));
  const owner = ownerOf(required(exchange.identity, "identity"));
  return object === null || !owns(owner, object) ? null : await state(object);
}

/** Those of the named objects that are the caller's and exist, on one page; nothing is said of the others. */
async function chosen(
  ids: NonNullable<ListQuery["ids"]>,
  stateOf: (id: string) => Promise<JsonObject | null>,
): Promise<ListPage> {
  const states = await mapBounded(ids, LIST_CONCURRENCY, stateOf);
  return { data: states.filter((state) => state !== null), hasMore: false };
}

/** The list as the API writes it. Files have two forms of paging in use, the older by ids and the newer by `next_page`. */
function pageDocument(kind: ObjectKind, { data, hasMore }: ListPage): object {
  const lastId = data.at(-1)?.["id"] ?? null;
  const document = { data, has_more: hasMore, first_id: data[0]?.["id"] ?? null, last_id: lastId };
  return kind === "batch" ? document : { ...document, next_page: hasMore ? lastId : null };
}
