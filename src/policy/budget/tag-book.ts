import type { IncomingHttpHeaders } from "node:http";

import { WeirError } from "../../core/weir-error.ts";
import type { Identity } from "../../identity/key-ring.ts";
import type { BudgetSubject } from "../../ledger/budgets/budget-book.ts";
import { payerId } from "../../ledger/budgets/limits-in-force.ts";
import type { KeyTagRecord } from "../../store/ports/spend-limits.ts";

export interface TagSettings {
  /** Tags that a request may name. */
  readonly allowed: readonly string[];
  /** The header that names one, in small letters. */
  readonly header: string;
  readonly unknown: "refuse" | "ignore";
}

/** Allowed tags that a refusal names; more would not be read. */
const NAMED_IN_REFUSAL = 10;

/**
 * Which project tag pays for a request beside its caller. Tags come from a list or from the key's own record, never from what
 * clients make up, so that there are no more counters than the operator has named.
 */
export class TagBook {
  #settings: TagSettings;
  #allowed: ReadonlySet<string>;
  #ofKey: ReadonlyMap<string, string> = new Map();
  /** Each identity's path with a tag, made when it is first asked for. Identities are made anew when the directory changes. */
  #paths = new WeakMap<Identity, Map<string, readonly BudgetSubject[]>>();

  constructor(settings: TagSettings) {
    this.#settings = settings;
    this.#allowed = new Set(settings.allowed);
  }

  configure(settings: TagSettings): void {
    this.#settings = settings;
    this.#allowed = new Set(settings.allowed);
  }

  setKeyTags(records: readonly KeyTagRecord[]): void {
    this.#ofKey = new Map(records.map(({ keyId, tag }) => [keyId, tag]));
  }

  /** The tag that a key has for good, or null. */
  ofKey(keyId: string): string | null {
    return this.#ofKey.get(keyId) ?? null;
  }

  /** The tag of a request; null for none. Throws WeirError `weir:access:tag` for one that it may not name. */
  of(keyId: string, headers: IncomingHttpHeaders): string | null {
    // Nearly everywhere there are no tags at all.
    if (this.#allowed.size === 0 && this.#ofKey.size === 0) return null;
    const given = headers[this.#settings.header];
    const fixed = this.#ofKey.get(keyId);
    if (given === undefined) return fixed ?? null;
    const tag = typeof given === "string" ? given.trim() : null;
    if (fixed !== undefined) {
      if (tag === fixed || this.#settings.unknown === "ignore") return fixed;
      throw new WeirError("weir:access:tag", `This key counts for the project ${fixed} and can name no other.`);
    }
    if (tag !== null && this.#allowed.has(tag)) return tag;
    if (this.#settings.unknown === "ignore") return null;
    throw new WeirError("weir:access:tag", this.#refusal());
  }

  /** The caller's path with the tag at its end. */
  path(identity: Identity, tag: string): readonly BudgetSubject[] {
    let byTag = this.#paths.get(identity);
    if (byTag === undefined) {
      byTag = new Map();
      this.#paths.set(identity, byTag);
    }
    let path = byTag.get(tag);
    if (path === undefined) {
      const { organizationId } = identity.principal;
      path = [...identity.path, { scope: "tag", id: payerId({ organizationId, scope: "tag", subjectId: tag }) }];
      byTag.set(tag, path);
    }
    return path;
  }

  #refusal(): string {
    const { allowed, header } = this.#settings;
    const shown = allowed.slice(0, NAMED_IN_REFUSAL).join(", ");
    const more = allowed.length > NAMED_IN_REFUSAL ? ", …" : "";
    const choice = allowed.length === 0 ? "none may be named" : `choose one of ${shown}${more}`;
    return `The header ${header} names a project tag that is not allowed: ${choice}.`;
  }
}
