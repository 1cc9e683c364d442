import type { WeirError } from "../core/weir-error.ts";
import type { ScannedRequest, ScanLimits } from "./anthropic/request-scan.ts";

/** The formats that clients and upstreams speak. `anthropic` is the canonical one: Messages as JSON, streams as its events. */
export type WireName = "anthropic" | "bedrock" | "vertex" | "openai-chat" | "openai-responses";

/** What is asked of a model, in whatever format. */
export type Operation = "messages" | "count_tokens";

/** Something that does not go over as it was asked; the client is told in the `x-weir-warning` header. */
export interface WireWarning {
  /** Path of the field in the format that it was written in, for example `logit_bias` or `messages[2].content[0]`. */
  readonly field: string;
  /** What becomes of it, as a sentence without its subject: `is not supported by Messages and was left out`. */
  readonly message: string;
}

/** A request as a client sent it. */
export interface ClientRequest {
  readonly operation: Operation;
  readonly body: Buffer;
  /** The model where the format has it in the path (percent-decoded); null where the body has it. */
  readonly pathModel: string | null;
  /** Whether the path asks for a stream; null where the body says. */
  readonly pathStream: boolean | null;
  readonly maxDepth: number;
}

/** A format that clients may speak. One instance for the process; what one exchange needs is in its `ClientCall`. */
export interface ClientWire {
  readonly name: WireName;
  /** Makes a canonical request. Throws WeirError naming the field that is wrong or cannot be expressed in Messages. */
  decode(request: ClientRequest): ClientCall;
  /** Weir's own error in this format; `headers` are lower-case and come besides the usual ones. */
  encodeError(error: WeirError, requestId: string): EncodedError;
}

export interface EncodedError {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** One exchange in its client's format. */
export interface ClientCall {
  /** The request as Messages JSON, with `model` and, when a stream is asked for, `stream: true`. */
  readonly canonical: Buffer;
  /** Betas to be added to those of the `anthropic-beta` header. */
  readonly betas: readonly string[];
  readonly warnings: readonly WireWarning[];
  /**
   * What a scan of `canonical` would tell, where it is known more cheaply; then scanning it would only do work twice. Throws
   * WeirError as the scan does.
   */
  scan?(limits: ScanLimits): ScannedRequest;
  /** Where the client's body contradicts its path: the body as the path means it, for upstreams of the same format. */
  readonly corrected?: { readonly body: Buffer; readonly warnings: readonly WireWarning[] } | null;
  /** The status that a client of this format is told for one that an upstream of the same format gave; the same unless given. */
  passedStatus?(status: number): number;
  /** A whole canonical answer (status below 400) in the client's format. Throws when it is no Messages answer. */
  encodeAnswer(canonical: Buffer, context: AnswerContext): Buffer;
  /** A canonical error envelope that an upstream gave, in the client's format. */
  encodeUpstreamError(status: number, canonical: Buffer, context: AnswerContext): EncodedError;
  /** Turns a canonical event stream into the client's; a new one for each answer. */
  streamEncoder(context: AnswerContext): StreamEncoder;
}

export interface AnswerContext {
  readonly requestId: string;
  /** The model as the client named it. */
  readonly modelAsked: string;
  /** Milliseconds since the epoch when the exchange began. */
  readonly createdAtMs: number;
}

/** Canonical event stream in, the client's stream out. Chunks may be cut anywhere; what cannot be said yet is kept. */
export interface StreamEncoder {
  readonly contentType: string;
  push(chunk: Buffer): Buffer;
  /** What keeps a silent stream alive in this format; empty when the format has nothing for it. */
  ping(): Buffer;
}

/** A canonical request on its way to an upstream. */
export interface CanonicalRequest {
  readonly operation: Operation;
  readonly body: Buffer;
  readonly scan: ScannedRequest;
  /** From the `anthropic-beta` header and from the client's format. */
  readonly betas: readonly string[];
  /** The model's id at the upstream. */
  readonly upstreamModel: string;
  /** Whether that id is a name that somebody chose for a deployment, from which the model need not be seen; default false. */
  readonly isDeployment?: boolean;
  /** Betas that the upstream is known to refuse of this model: left out, with a warning, where nothing in the body needs them. */
  readonly refusedBetas?: ReadonlySet<string>;
}

/** A format that upstreams speak. One instance for the process. */
export interface TargetWire {
  readonly name: WireName;
  /** Client headers (lower-case) that may be forwarded besides Weir's own; `all` for the canonical format. */
  readonly forwards: "all" | readonly string[];
  /** Makes the upstream's request of a canonical one. Throws WeirError naming what the format cannot express. */
  encode(request: CanonicalRequest): TargetCall;
  /**
   * The upstream's request for a client of the same format: its own bytes, with only what must change (the model's id).
   * `clientModel` is how the client named the model.
   */
  forward(body: Buffer, request: CanonicalRequest): TargetCall;
}

/** One attempt in an upstream's format. */
export interface TargetCall {
  readonly body: Buffer;
  /** Lower-case name, value list: content-type and what the format needs besides credentials. */
  readonly headers: readonly string[];
  readonly warnings: readonly WireWarning[];
  /** The betas that go with it under the upstream's names for them; absent where they are the client's own business. */
  readonly betas?: readonly string[];
  /** A whole answer (status below 400) as canonical JSON. Throws when it is not one of this format. */
  decodeAnswer(body: Buffer): Buffer;
  /** An error answer as a canonical error envelope, its message kept word for word. */
  decodeError(status: number, body: Buffer, headers: Readonly<Record<string, unknown>>): Buffer;
  /** Turns the upstream's stream into canonical events; null when its bytes are canonical already. */
  streamDecoder(): StreamDecoder | null;
  /** For `forward` alone: what must be taken out of the stream again before the client gets it; null for nothing. */
  streamFilter(): StreamFilter | null;
}

/** The upstream's stream in, canonical server-sent events out. Chunks may be cut anywhere. */
export interface StreamDecoder {
  /** Whether the upstream's bytes stand between two events, where something may be inserted for a client of the same format. */
  readonly atBoundary: boolean;
  /** Throws WeirError when the bytes are not of this format (a bad checksum, an impossible length). */
  push(chunk: Buffer): Buffer;
}

/** The upstream's stream in, the same stream with something left out. */
export interface StreamFilter {
  push(chunk: Buffer): Buffer;
}
