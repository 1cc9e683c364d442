import { WeirError } from "../core/weir-error.ts";
import { BodyEdit, memberOf } from "../wire/cloud/body-edit.ts";
import type { WireName } from "../wire/codec.ts";
import { scanJson } from "../wire/json/json-scan.ts";
import type { ProviderRow } from "./catalogue/provider-row.ts";
import { resolveEmbeddingsPath, resolvePath, type CustomPaths, type Parameters } from "./catalogue/resolve.ts";
import type { PathQuestion, StreamFraming, UpstreamDialect } from "./upstream.ts";

/** A member of request bodies that the configuration decides and no client. */
export interface EnforcedMember {
  readonly name: string;
  /** Its value as JSON. */
  readonly json: string;
  /** Whether requests for streams get it where the client wrote none. */
  readonly addedToStreams: boolean;
}

export interface DialectOptions {
  readonly row: ProviderRow;
  readonly parameters: Parameters;
  /** Formats that it speaks; null for the row's. */
  readonly wires: readonly WireName[] | null;
  /** Paths that the configuration gives; null for the row's. */
  readonly custom: CustomPaths | null;
  modelId(asked: string, canonical: string | null): string | null;
  /** The id under which a model's tokens are counted, null where they cannot be; the model's own unless given. */
  readonly countedModelId?: (model: string) => string | null;
  readonly enforcedMember?: EnforcedMember | null;
  readonly framing?: StreamFraming;
  readonly hasEmbeddings?: boolean;
}

/** A count of any model's tokens. */
const COUNTING = { operation: "count_tokens", stream: false, model: "any", query: null } as const;
/** Deeper than any body that has passed the gateway's own limit. */
const ANY_DEPTH = 1_000_000;

/** What an upstream speaks and where, by its row of the catalogue and its configuration. */
export class CatalogueDialect implements UpstreamDialect {
  readonly wires: readonly WireName[];
  readonly countingWires: readonly WireName[];
  readonly framing: StreamFraming;
  readonly requestIdHeaders: readonly string[];
  readonly clientHeaders: readonly string[];
  readonly namesDeployments: boolean;
  readonly keepsObjects: boolean;
  readonly #options: DialectOptions;

  constructor(options: DialectOptions) {
    this.#options = options;
    this.wires = options.wires ?? options.row.wires;
    this.countingWires = this.wires.filter((wire) => this.#pathOf({ ...COUNTING, wire }) !== null);
    this.framing = options.framing ?? "none";
    this.requestIdHeaders = options.row.requestIdHeaders;
    this.clientHeaders = options.row.clientHeaders;
    this.namesDeployments = options.row.namesDeployments;
    this.keepsObjects = options.row.keepsObjects;
  }

  countsTokens(model: string): boolean {
    const { countedModelId } = this.#options;
    return this.countingWires.length > 0 && (countedModelId === undefined || countedModelId(model) !== null);
  }

  path(asked: PathQuestion): string {
    const { row, countedModelId } = this.#options;
    const counts = asked.operation === "count_tokens";
    const model = counts && countedModelId !== undefined ? countedModelId(asked.model) : asked.model;
    const path = model === null ? null : this.#pathOf({ ...asked, model });
    if (path !== null) return path;
    const what = counts ? `count tokens${model === null ? ` for ${asked.model}` : ""}` : "serve this";
    throw new WeirError("weir:request:unsupported_feature", `${row.title} cannot ${what}.`);
  }

  #pathOf(asked: PathQuestion): string | null {
    const { row, parameters, custom } = this.#options;
    return resolvePath(row, { ...asked, parameters, custom });
  }

  embeddingsPath(model: string): string | null {
    const { row, parameters, hasEmbeddings } = this.#options;
    return hasEmbeddings === true ? resolveEmbeddingsPath(row, parameters, model) : null;
  }

  modelId(asked: string, canonical: string | null): string | null {
    return this.#options.modelId(asked, canonical);
  }

  enforced(body: Buffer, stream: boolean): Buffer {
    const member = this.#options.enforcedMember ?? null;
    if (member === null) return body;
    const isAdded = stream && member.addedToStreams;
    // A name may be spelt with escapes, which only a parser sees; without a backslash the text tells.
    if (!isAdded && !body.includes(member.name) && !body.includes("\\u")) return body;
    const { members } = scanJson(body, ANY_DEPTH);
    if (!isAdded && memberOf(members, member.name) === undefined) return body;
    const edit = new BodyEdit(body, members);
    edit.remove(member.name);
    edit.insert(member.name, member.json);
    return edit.toBuffer();
  }
}
