import { WeirError } from "../../core/weir-error.ts";
import type { WireWarning } from "../codec.ts";
import { scanJson } from "../json/json-scan.ts";
import { BodyEdit, memberOf, valueOf } from "./body-edit.ts";

/** A client's body in a cloud's envelope, and what its path says. */
export interface EnvelopedBody {
  readonly body: Buffer;
  readonly maxDepth: number;
  /** The model in the path; null when the body has it. */
  readonly model: string | null;
  /** Null where the endpoint has no streams. */
  readonly stream: boolean | null;
  /** Further members to leave out, which the Messages API does not take at this endpoint. */
  readonly without: readonly string[];
}

export interface UnwrappedBody {
  readonly canonical: Buffer;
  /** Whether its `stream` is not what the path says. */
  readonly contradictsPath: boolean;
  readonly betas: readonly string[];
  readonly warnings: readonly WireWarning[];
}

/** What a beta may consist of: it goes into a header, between commas. */
const BETA = /^[\x21-\x2b\x2d-\x7e]{1,200}$/;

/** Whether a text can be the name of a beta: anything else would break the header that it goes into. */
export function isBetaName(text: string): boolean {
  return BETA.test(text);
}

/**
 * Makes a Messages body of one in a cloud's envelope: `model` and `stream` put in, the envelope's own members taken out,
 * every other byte kept. Throws WeirError when it is no JSON object or a member of the envelope is wrong.
 */
export function unwrapBody({ body, maxDepth, model, stream, without }: EnvelopedBody): UnwrappedBody {
  const { members } = scanJson(body, maxDepth);
  const warnings: WireWarning[] = [];
  const edit = new BodyEdit(body, members);
  edit.remove("anthropic_version");
  edit.remove("anthropic_beta");
  for (const key of without) edit.remove(key);
  requireVersion(valueOf(body, members, "anthropic_version"));
  const said = stream === null ? null : valueOf(body, members, "stream");
  if (stream !== null) {
    if (said !== undefined && said !== null && said !== stream) {
      warnings.push({ field: "stream", message: "says otherwise than the path, which counts" });
    }
    edit.remove("stream");
    if (stream) edit.insert("stream", "true");
  }
  if (model !== null) {
    const said = memberOf(members, "model");
    if (said !== undefined) warnings.push({ field: "model", message: "was left out: the path names the model" });
    edit.remove("model");
    edit.insert("model", JSON.stringify(model));
  }
  const contradictsPath = stream !== null && (said === true) !== stream;
  return {
    canonical: edit.toBuffer(),
    contradictsPath,
    betas: readBetas(valueOf(body, members, "anthropic_beta")),
    warnings,
  };
}

/** A body whose `stream` is what the path says, every other byte kept. */
export function withStreamOfPath(body: Buffer, stream: boolean, maxDepth: number): Buffer {
  const edit = new BodyEdit(body, scanJson(body, maxDepth).members);
  edit.remove("stream");
  if (stream) edit.insert("stream", "true");
  return edit.toBuffer();
}

function requireVersion(version: unknown): void {
  if (version === undefined || typeof version === "string") return;
  throw new WeirError("weir:request:invalid_field", "anthropic_version must be a string");
}

function readBetas(betas: unknown): readonly string[] {
  if (betas === undefined || betas === null) return [];
  if (!Array.isArray(betas)) throw new WeirError("weir:request:invalid_field", "anthropic_beta must be an array");
  return betas.map((beta: unknown, index) => {
    if (typeof beta === "string" && isBetaName(beta.trim())) return beta.trim();
    throw new WeirError("weir:request:invalid_field", `anthropic_beta[${index}] must be the name of a beta`);
  });
}

/** The path's model. Throws WeirError when there is none. */
export function requirePathModel(model: string | null): string {
  if (model !== null && model !== "") return model;
  throw new WeirError("weir:request:invalid_field", "The path must name the model.");
}

/** Members of a request that the Messages API's token counting refuses; none of them changes the count. */
export const NOT_COUNTED: readonly string[] = [
  "max_tokens",
  "metadata",
  "stop_sequences",
  "stream",
  "temperature",
  "top_k",
  "top_p",
  "service_tier",
  "inference_geo",
  "container",
  "diagnostics",
];
