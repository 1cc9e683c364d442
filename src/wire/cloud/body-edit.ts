import type { Member } from "../json/json-scan.ts";

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Changes to a JSON object that are made in its bytes: members taken out, others put in front, stretches replaced. What
 * is not changed is copied as it is, in one go.
 */
export class BodyEdit {
  readonly #body: Buffer;
  readonly #members: readonly Member[];
  readonly #removed = new Set<string>();
  readonly #edits: Edit[] = [];
  readonly #first: string[] = [];

  constructor(body: Buffer, members: readonly Member[]) {
    this.#body = body;
    this.#members = members;
  }

  /** Takes a member of the top level out; nothing when there is none. */
  remove(key: string): void {
    this.#removed.add(key);
  }

  /** Puts the JSON text of a member in front of the others. */
  insert(key: string, json: string): void {
    this.#first.push(`${JSON.stringify(key)}:${json}`);
  }

  /** Replaces the bytes between two offsets. Stretches must neither overlap nor lie in a removed member. */
  replace(start: number, end: number, text: string): void {
    this.#edits.push({ start, end, text });
  }

  toBuffer(): Buffer {
    const kept = this.#cutMembers();
    if (this.#first.length > 0) {
      const at = this.#body.indexOf(123) + 1;
      this.#edits.push({ start: at, end: at, text: this.#first.join() + (kept > 0 ? "," : "") });
    }
    this.#edits.sort((a, b) => a.start - b.start || a.end - b.end);
    const parts: Buffer[] = [];
    let from = 0;
    for (const { start, end, text } of this.#edits) {
      if (start > from) parts.push(this.#body.subarray(from, start));
      if (text !== "") parts.push(Buffer.from(text, "utf8"));
      from = end;
    }
    parts.push(this.#body.subarray(from));
    return Buffer.concat(parts);
  }

  /** Adds the cuts for the removed members. Returns how many stay. */
  #cutMembers(): number {
    let kept = 0;
    let keptEnd = -1;
    this.#members.forEach((member, i) => {
      if (!this.#removed.has(member.key)) {
        kept++;
        keptEnd = member.valueEnd;
        return;
      }
      // With its comma: the one before it, or, where nothing before it stays, the one after.
      if (keptEnd >= 0) {
        this.#edits.push({ start: keptEnd, end: member.valueEnd, text: "" });
        keptEnd = member.valueEnd;
        return;
      }
      this.#edits.push({ start: member.keyStart, end: this.#members[i + 1]?.keyStart ?? member.valueEnd, text: "" });
    });
    return kept;
  }
}

export function memberOf(members: readonly Member[], key: string): Member | undefined {
  for (const member of members) if (member.key === key) return member;
  return undefined;
}

/** The value of a member, parsed; undefined when there is none. The document must be valid. */
export function valueOf(body: Buffer, members: readonly Member[], key: string): unknown {
  const member = memberOf(members, key);
  return member === undefined ? undefined : JSON.parse(body.toString("utf8", member.valueStart, member.valueEnd));
}
