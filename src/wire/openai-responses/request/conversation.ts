import type { JsonRecord } from "../../openai/json-reader.ts";

export interface Turn {
  readonly role: "user" | "assistant";
  readonly content: JsonRecord[];
}

/**
 * Gathers the items of an input into turns. Messages wants the results of tools at the beginning of the user's turn: items
 * are moved within their turn, never beyond it.
 */
export class Conversation {
  readonly turns: Turn[] = [];
  readonly system: JsonRecord[] = [];

  user(blocks: readonly JsonRecord[]): void {
    if (blocks.length > 0) this.#turn("user").content.push(...blocks);
  }

  toolResult(block: JsonRecord): void {
    const { content } = this.#turn("user");
    const after = content.findLastIndex(({ type }) => type === "tool_result") + 1;
    content.splice(after, 0, block);
  }

  assistant(blocks: readonly JsonRecord[]): void {
    if (blocks.length > 0) this.#turn("assistant").content.push(...blocks);
  }

  #turn(role: Turn["role"]): Turn {
    const last = this.turns.at(-1);
    if (last?.role === role) return last;
    const turn: Turn = { role, content: [] };
    this.turns.push(turn);
    return turn;
  }
}
