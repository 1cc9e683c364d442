import type { Answer, AnswerBlock } from "./answer.ts";
import {
  contextManagement,
  finalDeltaJson,
  searchResultJson,
  startedMessageJson,
  toolUseHead,
  usageJson,
} from "./message-json.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { estimateTokens, isInsidePair } from "./tokens.ts";

/** One server-sent event of an answer, and how much was generated for it. */
export interface Frame {
  readonly text: string;
  /** Output tokens that this event delivers; paces the stream. */
  readonly tokens: number;
  /** True for a piece of generated text, thinking or tool input. */
  readonly isDelta: boolean;
}

/** How an answer's text is divided into deltas. */
export interface FrameOptions {
  readonly random: SeededRandom;
  /** Exact number of text deltas of the last text block; null for pieces of a few tokens, as the service sends them. */
  readonly textDeltas: number | null;
}

/** A ping as the service sends it after the first block has started and during silence. */
export const PING = 'event: ping\ndata: {"type": "ping"}\n\n';

const MIN_PIECE_CHARS = 4;
const MAX_PIECE_CHARS = 24;

/** The events of an answer in the order in which the Messages API sends them, made one by one as they are taken. */
export function* streamFrames(answer: Answer, options: FrameOptions): Generator<Frame, void, undefined> {
  yield event("message_start", { type: "message_start", message: startedMessageJson(answer) });
  if (answer.blocks.length === 0) yield { text: PING, tokens: 0, isDelta: false };
  const lastText = answer.blocks.findLastIndex((block) => block.type === "text");
  for (const [index, block] of answer.blocks.entries()) {
    yield event("content_block_start", { type: "content_block_start", index, content_block: startedBlock(block) });
    if (index === 0) yield { text: PING, tokens: 0, isDelta: false };
    yield* deltas(block, index, index === lastText ? options : { ...options, textDeltas: null });
    yield event("content_block_stop", { type: "content_block_stop", index });
  }
  yield event("message_delta", {
    type: "message_delta",
    delta: finalDeltaJson(answer),
    usage: usageJson(answer.usage, "delta"),
    ...contextManagement(answer),
  });
  yield event("message_stop", { type: "message_stop" });
}

/** An in-stream error event: how the service ends a stream that it cannot finish. */
export function errorEvent(envelope: object): string {
  return event("error", envelope).text;
}

function event(name: string, data: object): Frame {
  return { text: `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`, tokens: 0, isDelta: false };
}

function startedBlock(block: AnswerBlock): object {
  switch (block.type) {
    case "thinking":
      return { type: "thinking", thinking: "", signature: "" };
    case "text":
      return block.citations.length === 0 ? { type: "text", text: "" } : { type: "text", text: "", citations: [] };
    case "tool_use":
    case "server_tool_use":
      return { ...toolUseHead(block), input: {} };
    case "web_search_tool_result":
      break;
  }
  return searchResultJson(block);
}

function* deltas(block: AnswerBlock, index: number, options: FrameOptions): Generator<Frame, void, undefined> {
  switch (block.type) {
    case "thinking":
      for (const piece of pieces(block.thinking, options.random))
        yield delta(index, '"thinking_delta","thinking"', piece);
      yield delta(index, '"signature_delta","signature"', block.signature, 0);
      return;
    case "text":
      for (const citation of block.citations) yield citationDelta(index, citation);
      for (const piece of textPieces(block.text, options)) yield delta(index, '"text_delta","text"', piece);
      return;
    case "tool_use":
    case "server_tool_use":
      // The service opens a tool's input with an empty piece.
      yield delta(index, '"input_json_delta","partial_json"', "", 0);
      for (const piece of pieces(block.inputJson, options.random)) {
        yield delta(index, '"input_json_delta","partial_json"', piece);
      }
      return;
    case "web_search_tool_result":
      return;
  }
}

/** A delta, written out by hand as it is by far the most frequent event. `kind` is its type and its member's name. */
function delta(index: number, kind: string, piece: string, tokens = estimateTokens(piece)): Frame {
  const text = `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":{"type":${kind}:${JSON.stringify(piece)}}}\n\n`;
  return { text, tokens, isDelta: true };
}

function citationDelta(index: number, citation: object): Frame {
  return event("content_block_delta", {
    type: "content_block_delta",
    index,
    delta: { type: "citations_delta", citation },
  });
}

function textPieces(text: string, options: FrameOptions): Iterable<string> {
  return options.textDeltas === null ? pieces(text, options.random) : evenPieces(text, options.textDeltas);
}

/** Pieces of a few tokens each, cut at random but never within a surrogate pair. */
function* pieces(text: string, random: SeededRandom): Generator<string, void, undefined> {
  let at = 0;
  while (at < text.length) {
    let end = Math.min(text.length, at + random.between(MIN_PIECE_CHARS, MAX_PIECE_CHARS));
    if (isInsidePair(text, end)) end += 1;
    yield text.slice(at, end);
    at = end;
  }
}

/** Exactly `count` pieces of nearly equal length; with a text shorter than that, the last ones are empty. */
function* evenPieces(text: string, count: number): Generator<string, void, undefined> {
  let at = 0;
  for (let piece = 1; piece <= count; piece++) {
    let end = Math.round((text.length * piece) / count);
    if (isInsidePair(text, end)) end += 1;
    yield text.slice(at, Math.max(at, end));
    at = Math.max(at, end);
  }
}
