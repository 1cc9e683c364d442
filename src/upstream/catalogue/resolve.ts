import { WeirError } from "../../core/weir-error.ts";
import type { Operation, WireName } from "../../wire/codec.ts";
import type { Parameter, PathRow, ProviderRow } from "./provider-row.ts";

/** Values for the templates, from the upstream's configuration. */
export type Parameters = Readonly<Partial<Record<Exclude<Parameter, "model">, string>>>;

/** Paths that the configuration gives instead of the row's, with `{model}`, `{region}` and `{project}`. */
export interface CustomPaths {
  readonly messages: string;
  /** Null where streams have the same path. */
  readonly messagesStream: string | null;
  /** Null where tokens cannot be counted. */
  readonly countTokens: string | null;
}

export interface PathRequest {
  readonly wire: WireName;
  readonly operation: Operation;
  readonly stream: boolean;
  /** The model's id at the upstream: a name, an ARN, a deployment. */
  readonly model: string;
  readonly parameters: Parameters;
  /** The configuration's own paths; null for the row's. */
  readonly custom: CustomPaths | null;
  /** The client's query without its question mark, kept where client and upstream both speak Messages; null for none. */
  readonly query: string | null;
}

const PLACEHOLDER = /\{(\w+)\}/g;
const KNOWN: ReadonlySet<string> = new Set<Parameter>([
  "region",
  "project",
  "resource",
  "workspace",
  "apiVersion",
  "v1Version",
  "model",
]);
/** A part of a host name. */
const HOST_LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/;
/** What may stand bare in a path segment (RFC 3986, pchar), without the semicolon, at which some servers cut. */
const NOT_BARE = /[^A-Za-z0-9\-._~!$&'()*+,=:@]+/g;

/**
 * The base URL of an upstream, without a slash at the end: the configured one, completed with the path that this provider's
 * always has, else the provider's default for the region. Throws an Error that names what is missing or cannot stand there.
 */
export function resolveBaseUrl(row: ProviderRow, configured: string | null, parameters: Parameters): string {
  if (configured !== null) return completed(row, configured);
  const endpoint =
    row.endpoints.find(({ region }) => region !== null && region === parameters.region) ??
    row.endpoints.find(({ region }) => region === null);
  if (endpoint === undefined) throw new Error(`${row.title} has no address of its own: set base_url`);
  return filled(endpoint.baseUrl, (name) => {
    const value = name === "model" ? undefined : parameters[name];
    if (value === undefined) throw new Error(`${row.title} needs ${name}, or base_url`);
    if (!HOST_LABEL.test(value)) throw new Error(`${name} ${JSON.stringify(value)} cannot stand in a host name`);
    return value;
  });
}

/** Path and query below the base URL, exactly as they are sent and signed; null where the provider has no such call. */
export function resolvePath(row: ProviderRow, request: PathRequest): string | null {
  const template = request.custom === null ? rowPath(row, request) : customPath(request.custom, request);
  if (template === null) return null;
  const path = fillPath(template, request.parameters, request.model);
  if (request.query === null || request.query === "" || request.wire !== "anthropic") return path;
  return `${path}${path.includes("?") ? "&" : "?"}${request.query}`;
}

/** Path and query of OpenAI's embeddings, below the base URL; null where the provider has none. */
export function resolveEmbeddingsPath(row: ProviderRow, parameters: Parameters, model: string): string | null {
  const found = row.embeddings.find(({ needs }) => isGiven(needs, parameters));
  return found === undefined ? null : fillPath(found.path, parameters, model);
}

/** The headers that every request to the upstream needs, a flat list of lower-case names and values. */
export function resolveHeaders(row: ProviderRow, parameters: Parameters): readonly string[] {
  return row.headers.flatMap(([name, template]) => {
    const value = filled(template, (parameter) => (parameter === "model" ? "" : (parameters[parameter] ?? "")));
    return value === "" ? [] : [name, value];
  });
}

/** The first placeholder of a template that does not exist; null when all do. For checking a configuration. */
export function unknownPlaceholder(template: string): string | null {
  for (const [, name = ""] of template.matchAll(PLACEHOLDER)) if (!KNOWN.has(name)) return name;
  return null;
}

/** A value as one segment of a path. Throws WeirError when it could lead elsewhere: empty, `.` or `..`. */
export function pathSegment(value: string): string {
  if (value === "" || value === "." || value === ".." || !value.isWellFormed())
    throw new WeirError("weir:request:invalid_field", `${JSON.stringify(value)} cannot stand in the upstream's path`);
  return value.replaceAll(NOT_BARE, encodeURIComponent);
}

function rowPath(row: ProviderRow, request: PathRequest): string | null {
  return row.paths.find((path) => fits(path, request))?.path ?? null;
}

function fits(path: PathRow, { wire, operation, stream, parameters }: PathRequest): boolean {
  if (path.wire !== wire || path.operation !== operation) return false;
  if (path.stream !== null && path.stream !== stream) return false;
  return isGiven(path.needs, parameters);
}

function isGiven(needed: Parameter | null, parameters: Parameters): boolean {
  return needed === null || needed === "model" || parameters[needed] !== undefined;
}

function customPath(custom: CustomPaths, { operation, stream }: PathRequest): string | null {
  if (operation === "count_tokens") return custom.countTokens;
  return stream ? (custom.messagesStream ?? custom.messages) : custom.messages;
}

function fillPath(template: string, parameters: Parameters, model: string): string {
  return filled(template, (name) => {
    const value = name === "model" ? model : parameters[name];
    if (value === undefined) throw new Error(`the path ${template} needs ${name}`);
    return pathSegment(value);
  });
}

function completed(row: ProviderRow, configured: string): string {
  const url = new URL(configured);
  const path = url.pathname.replace(/\/+$/, "");
  if (path === "") return `${url.origin}${row.defaultPath}`;
  const redundant = row.redundantPaths.find((ending) => path.endsWith(ending));
  return `${url.origin}${redundant === undefined ? path : path.slice(0, -redundant.length)}`;
}

function filled(template: string, valueOf: (name: Parameter) => string): string {
  return template.replaceAll(PLACEHOLDER, (_match, name: string) => {
    if (!isParameter(name)) throw new Error(`the template ${template} names ${name}, which does not exist`);
    return valueOf(name);
  });
}

function isParameter(name: string): name is Parameter {
  return KNOWN.has(name);
}
