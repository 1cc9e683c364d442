import type { JsonObject } from "../../../../src/upstream/sandbox/json-value.ts";

/** Gathers a conversation of OpenAI's into turns of Messages: alternating roles, tool results first in a user's turn. */
export class ConversationBuilder {
  readonly #system: JsonObject[] = [];
  readonly #turns: { role: "user" | "assistant"; content: JsonObject[] }[] = [];

  system(text: string): void {
    if (text !== "") this.#system.push({ type: "text", text });
  }

  user(blocks: readonly JsonObject[]): void {
    this.#add("user", blocks);
  }

  assistant(blocks: readonly JsonObject[]): void {
    this.#add("assistant", blocks);
  }

  build(): { readonly system: readonly JsonObject[]; readonly messages: readonly JsonObject[] } {
    const messages = this.#turns.map(({ role, content }) => ({
      role,
      // OpenAI takes empty texts, Messages does not.
      content: content.length === 0 ? [{ type: "text", text: "(empty)" }] : content,
    }));
    const begins = messages[0]?.role === "user" ? [] : [{ role: "user", content: "(begin)" }];
    return { system: this.#system, messages: [...begins, ...messages] };
  }

  #add(role: "user" | "assistant", blocks: readonly JsonObject[]): void {
    const last = this.#turns.at(-1);
    const kept = blocks.filter((block) => block["type"] !== "text" || block["text"] !== "");
    if (last?.role === role) last.content.push(...kept);
    else this.#turns.push({ role, content: [...kept] });
  }
}

/** An image of a URL, data URLs included, in the Messages form. */
export function imageBlock(url: string): JsonObject {
  const data = /^data:([a-z]+\/[a-z0-9.+-]+);base64,(.*)$/s.exec(url);
  if (data === null) return { type: "image", source: { type: "url", url } };
  return { type: "image", source: { type: "base64", media_type: data[1], data: data[2] } };
}
