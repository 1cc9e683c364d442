import { hash32, seededRandom, type Random } from "../random.ts";
import { sentence, sourceText } from "./prose.ts";
import { someTool, toolDefinitions } from "./tools.ts";

/** What the bodies of one size have in common. */
interface TemplateOptions {
  readonly bytes: number;
  readonly model: string;
  readonly stream: boolean;
  readonly seed: number;
}

/** What tells one request from the next. */
export interface RequestMarks {
  /** Sixteen characters that no other request has. */
  readonly nonce: string;
  /** Eight characters that name the user. */
  readonly user: string;
  readonly maxTokens: number;
  /** Share (0..1) of the body, from its beginning, that is left as all others have it. */
  readonly sharedPrefix: number;
}

const NONCE_MARK = "nonce-0123456789";
const USER_MARK = "user-012";
/** Ten digits wide, so that any max_tokens fits; JSON allows the blanks that pad a shorter one. */
const MAX_TOKENS_MARK = 1_234_567_890;
/** Below this size the tools are named without descriptions, else they alone would be larger. */
const TERSE_BELOW_BYTES = 16 * 1024;
/** Left for the last message when the history is long enough. */
const LAST_MESSAGE_BYTES = 700;

/**
 * A Messages request of exactly the wanted size as a coding agent would send it: system blocks, fifteen tools, a history of
 * tool calls and their results, cache_control marks. It is written out once; `render` copies it and sets the marks.
 */
export class RequestTemplate {
  readonly bytes: number;
  readonly #text: Buffer;
  readonly #nonceAt: readonly number[];
  readonly #userAt: number;
  readonly #maxTokensAt: number;

  constructor(options: TemplateOptions) {
    this.#text = Buffer.from(JSON.stringify(fitted(options)));
    this.bytes = this.#text.length;
    this.#nonceAt = positions(this.#text, NONCE_MARK);
    this.#userAt = this.#text.indexOf(USER_MARK);
    this.#maxTokensAt = this.#text.indexOf(String(MAX_TOKENS_MARK));
  }

  /** A body of its own for one request. */
  render(marks: RequestMarks): Buffer {
    const body = Buffer.allocUnsafe(this.bytes);
    this.#text.copy(body);
    body.write(marks.user.padEnd(8, "0").slice(0, 8), this.#userAt, "latin1");
    body.write(String(marks.maxTokens).padStart(10).slice(0, 10), this.#maxTokensAt, "latin1");
    const nonce = marks.nonce.padEnd(16, "0").slice(0, 16);
    const own = marks.sharedPrefix * this.bytes;
    for (const at of this.#nonceAt) if (at >= own) body.write(nonce, at, "latin1");
    // The last message is always the request's own, also where all of the rest is shared.
    body.write(nonce, this.#nonceAt.at(-1) ?? 0, "latin1");
    return body;
  }
}

function positions(text: Buffer, mark: string): readonly number[] {
  const found: number[] = [];
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + mark.length)) found.push(at);
  return found;
}

/** Grows the history until the request has the wanted size; the last message takes up the rest to the byte. */
function fitted(options: TemplateOptions): object {
  const random = seededRandom(options.seed, hash32(`body ${options.bytes}`));
  const history: object[] = [{ role: "user", content: `Task ${NONCE_MARK}.` }];
  const skeleton = request(options, { history, last: lastMessage(0), random: seededRandom(options.seed) });
  let left = options.bytes - sizeOf(skeleton);
  for (;;) {
    const turn = toolTurn(history.length, random);
    const size = sizeOf(turn[0]) + sizeOf(turn[1]) + 2;
    if (size > left - LAST_MESSAGE_BYTES) break;
    history.push(...turn);
    left -= size;
  }
  return request(options, { history, last: lastMessage(left), random: seededRandom(options.seed) });
}

interface RequestParts {
  readonly history: readonly object[];
  readonly last: string;
  readonly random: Random;
}

function request({ bytes, model, stream }: TemplateOptions, { history, last, random }: RequestParts): object {
  const terse = bytes < TERSE_BELOW_BYTES;
  const rules = Array.from({ length: terse ? 2 : 40 }, () => sentence(random)).join(terse ? " " : "\n");
  const ephemeral = { type: "ephemeral" };
  return {
    model,
    max_tokens: MAX_TOKENS_MARK,
    stream,
    metadata: { user_id: USER_MARK },
    system: [
      { type: "text", text: "You are a coding agent." },
      { type: "text", text: rules, cache_control: ephemeral },
    ],
    tools: toolDefinitions(terse, random),
    // Two user messages in a row would be merged by the API; an assistant's word keeps them apart.
    messages: [
      ...history,
      { role: "assistant", content: "Done. What next?" },
      { role: "user", content: [{ type: "text", text: last, cache_control: ephemeral }] },
    ],
  };
}

/** The newest message; `fill` characters of plain ASCII bring the request to its size. */
function lastMessage(fill: number): string {
  return `Step ${NONCE_MARK}:${"please go on. ".repeat(Math.ceil(fill / 14)).slice(0, fill)}`;
}

/** A tool call and its result, between 300 bytes and about 8 KB, most of them short. */
function toolTurn(index: number, random: Random): readonly [object, object] {
  const id = `toolu_${String(index).padStart(6, "0")}`;
  const aboutBytes = 200 + 8000 * random.next() ** 3;
  const call = {
    type: "tool_use",
    id,
    name: someTool(random),
    input: { path: `src/part-${random.nextUint32() % 100}.ts` },
  };
  const result = {
    type: "tool_result",
    tool_use_id: id,
    content: `run ${NONCE_MARK}\n${sourceText(aboutBytes, random)}`,
  };
  return [
    { role: "assistant", content: [{ type: "text", text: sentence(random) }, call] },
    { role: "user", content: [result] },
  ];
}

function sizeOf(value: object): number {
  return Buffer.byteLength(JSON.stringify(value));
}
