import { WeirError } from "../../core/weir-error.ts";
import type { OwnedObject } from "../../store/ports/owned-objects.ts";

export type ObjectKind = OwnedObject["kind"];

/** What is asked of all objects of a kind, or of one of them. */
export type Operation =
  | { readonly kind: ObjectKind; readonly action: "create" | "list" }
  | {
      readonly kind: ObjectKind;
      readonly action: "retrieve" | "delete" | "cancel" | "results" | "content";
      readonly id: string;
    };

type ActionOnOne = Extract<Operation, { id: string }>["action"];

/** Where objects of each kind live upstream; the same path as Weir's own. */
export const BASE_PATH = { batch: "/v1/messages/batches", file: "/v1/files" } as const satisfies Record<
  ObjectKind,
  string
>;

const COLLECTION: ReadonlyMap<string, "create" | "list"> = new Map([
  ["POST", "create"],
  ["GET", "list"],
]);
const ONE: ReadonlyMap<string, ActionOnOne> = new Map([
  ["GET", "retrieve"],
  ["DELETE", "delete"],
]);
/** What may follow an id in the path, by kind and name. */
const BELOW: Readonly<
  Record<ObjectKind, ReadonlyMap<string, { readonly method: string; readonly action: ActionOnOne }>>
> = {
  batch: new Map([
    ["cancel", { method: "POST", action: "cancel" }],
    ["results", { method: "GET", action: "results" }],
  ]),
  file: new Map([["content", { method: "GET", action: "content" }]]),
};

/** Ids as providers make them. Anything else names no object, and must not come near an upstream's path. */
const ID = /^[A-Za-z0-9_-]{1,256}$/;

export function isObjectId(text: string): boolean {
  return ID.test(text);
}

/** The operation of a method and of what follows the endpoint's path. Throws WeirError for what does not exist. */
export function readOperation(kind: ObjectKind, method: string, rest: string): Operation {
  if (rest === "") {
    const action = COLLECTION.get(method);
    if (action === undefined) throw notAllowed(BASE_PATH[kind], [...COLLECTION.keys()]);
    return { kind, action };
  }
  const [, id = "", name, ...more] = rest.split("/");
  if (more.length > 0) throw unknownPath(kind, rest);
  if (name === undefined) {
    const action = ONE.get(method);
    if (action === undefined) throw notAllowed(`${BASE_PATH[kind]}/{id}`, [...ONE.keys()]);
    return { kind, action, id: checkedId(kind, id) };
  }
  const below = BELOW[kind].get(name);
  if (below === undefined) throw unknownPath(kind, rest);
  if (below.method !== method) throw notAllowed(`${BASE_PATH[kind]}/{id}/${name}`, [below.method]);
  return { kind, action: below.action, id: checkedId(kind, id) };
}

/** An operation's path upstream, without a query. */
export function upstreamPathOf(operation: Operation): string {
  const base = BASE_PATH[operation.kind];
  if (!("id" in operation)) return base;
  const below = operation.action === "retrieve" || operation.action === "delete" ? "" : `/${operation.action}`;
  return `${base}/${operation.id}${below}`;
}

/** The answer for an object that does not exist and for one that is somebody else's: they are told apart by nothing. */
export function notFound(kind: ObjectKind, id: string): WeirError {
  const message = kind === "batch" ? `Message Batch ${id} not found` : `File not found: ${id}`;
  return new WeirError("weir:access:not_owner", message);
}

function checkedId(kind: ObjectKind, text: string): string {
  if (!isObjectId(text)) throw notFound(kind, text.slice(0, 100));
  return text;
}

function unknownPath(kind: ObjectKind, rest: string): WeirError {
  return new WeirError("weir:request:not_found", `Weir serves nothing at ${BASE_PATH[kind]}${rest.slice(0, 200)}.`);
}

function notAllowed(path: string, methods: readonly string[]): WeirError {
  const allow = methods.join(", ");
  return new WeirError("weir:request:method_not_allowed", `${path} takes ${allow}.`, { headers: { allow } });
}
