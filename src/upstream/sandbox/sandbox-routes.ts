import type { BatchesEndpoint } from "./batches-endpoint.ts";
import type { Call } from "./call.ts";
import type { FilesEndpoint } from "./files-endpoint.ts";
import type { MessagesEndpoint } from "./messages-endpoint.ts";
import type { ModelsEndpoint } from "./models-endpoint.ts";
import { sendBody, sendJson } from "./call.ts";

/** One endpoint: what matches it, what it needs, who answers. */
export interface Route {
  readonly method: string;
  /** Path segments; `*` stands for any one and becomes a parameter. */
  readonly path: readonly string[];
  readonly needsAuth: boolean;
  /** Whether the `anthropic-version` header is required. */
  readonly needsVersion: boolean;
  readonly maxBodyBytes: number;
  readonly handle: (call: Call) => void | Promise<void>;
}

export interface Endpoints {
  readonly messages: MessagesEndpoint;
  readonly models: ModelsEndpoint;
  readonly batches: BatchesEndpoint;
  readonly files: FilesEndpoint;
}

const MIB = 1024 * 1024;
/** As the real service's limits, but for batches and files, which are held in memory. */
const MESSAGE_BYTES = 32 * MIB;
const BATCH_BYTES = 64 * MIB;
const FILE_BYTES = 33 * MIB;

/** The sandbox's endpoints, the most frequent first. */
export function sandboxRoutes({ messages, models, batches, files }: Endpoints): readonly Route[] {
  const batch = "v1/messages/batches";
  return [
    post("v1/messages", MESSAGE_BYTES, (call) => messages.create(call)),
    post("v1/messages/count_tokens", MESSAGE_BYTES, (call) => messages.countTokens(call)),
    { ...get("v1/models", (call) => models.list(call)), needsVersion: false },
    { ...get("v1/models/*", (call) => models.retrieve(call)), needsVersion: false },
    post(batch, BATCH_BYTES, (call) => batches.create(call)),
    get(batch, (call) => batches.list(call)),
    get(`${batch}/*`, (call) => batches.retrieve(call)),
    remove(`${batch}/*`, (call) => batches.remove(call)),
    post(`${batch}/*/cancel`, 0, (call) => batches.cancel(call)),
    get(`${batch}/*/results`, (call) => batches.results(call)),
    post("v1/files", FILE_BYTES, (call) => files.upload(call)),
    get("v1/files", (call) => files.list(call)),
    get("v1/files/*", (call) => files.metadata(call)),
    get("v1/files/*/content", (call) => files.content(call)),
    remove("v1/files/*", (call) => files.remove(call)),
    open("HEAD", "api/hello", (call) => sendBody(call, "", {})),
    open("GET", "api/hello", (call) => sendJson(call, { message: "hello" })),
  ];
}

/** A route that matches a path, and the parts that its placeholders matched. */
export interface RouteMatch {
  readonly route: Route;
  readonly params: readonly string[];
}

/** The route for method and path; `otherMethods` has the methods of routes that match the path alone. */
export function findRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): { readonly match: RouteMatch | null; readonly otherMethods: readonly string[] } {
  const segments = path.split("/").slice(1);
  const otherMethods: string[] = [];
  for (const route of routes) {
    const params = matchPath(route.path, segments);
    if (params === null) continue;
    if (route.method === method) return { match: { route, params }, otherMethods };
    otherMethods.push(route.method);
  }
  return { match: null, otherMethods };
}

function matchPath(path: readonly string[], segments: readonly string[]): readonly string[] | null {
  if (path.length !== segments.length) return null;
  const params: string[] = [];
  for (const [index, wanted] of path.entries()) {
    const segment = segments[index] ?? "";
    if (wanted === "*") params.push(segment);
    else if (wanted !== segment) return null;
  }
  return params;
}

type Handler = Route["handle"];

function post(path: string, maxBodyBytes: number, handle: Handler): Route {
  return { method: "POST", path: path.split("/"), needsAuth: true, needsVersion: true, maxBodyBytes, handle };
}

function get(path: string, handle: Handler): Route {
  return { method: "GET", path: path.split("/"), needsAuth: true, needsVersion: true, maxBodyBytes: 0, handle };
}

function remove(path: string, handle: Handler): Route {
  return { ...get(path, handle), method: "DELETE" };
}

function open(method: string, path: string, handle: Handler): Route {
  return { ...get(path, handle), method, needsAuth: false, needsVersion: false };
}
