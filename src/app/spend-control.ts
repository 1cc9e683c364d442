import type { Config } from "../config/schema.ts";
import type { BudgetBook } from "../ledger/budgets/budget-book.ts";
import type { LimitsInForce } from "../ledger/budgets/limits-in-force.ts";
import { TagBook, type TagSettings } from "../policy/budget/tag-book.ts";
import type { DirectorySnapshot, DirectoryStore } from "../store/ports/directory.ts";
import type { SpendLimitStore, SpendPlan } from "../store/ports/spend-limits.ts";
import type { FeedSource } from "./directory-feed.ts";
import { limitsInForce } from "../ledger/budgets/configured-limits.ts";

/** A reading of the directory together with what belongs to money. */
export interface SpendReading {
  readonly revision: number;
  readonly directory: DirectorySnapshot;
  readonly spend: SpendPlan;
}

/** Keeps the budgets and tags of the hot path in step with the configuration and the database. */
export class SpendControl {
  readonly tags: TagBook;
  readonly #book: BudgetBook;
  #config: Config;
  #reading: SpendReading | null = null;
  #limits: LimitsInForce | null = null;

  constructor(config: Config, book: BudgetBook) {
    this.#config = config;
    this.#book = book;
    this.tags = new TagBook(tagSettings(config));
  }

  get config(): Config {
    return this.#config;
  }

  /** The reading in force. Throws before the first one. */
  get reading(): SpendReading {
    if (this.#reading === null) throw new Error("spend limits have not been read yet");
    return this.#reading;
  }

  get limits(): LimitsInForce {
    if (this.#limits === null) throw new Error("spend limits have not been read yet");
    return this.#limits;
  }

  configure(config: Config): void {
    this.#config = config;
    this.tags.configure(tagSettings(config));
    this.#renew();
  }

  take(reading: SpendReading): void {
    this.#reading = reading;
    this.tags.setKeyTags(reading.spend.keyTags);
    this.#renew();
  }

  /** The time zone in which an organisation's windows turn. */
  timeZoneOf(organizationId: string): string {
    const organization = this.#reading?.directory.organizations.find(({ id }) => id === organizationId);
    return organization?.timeZone ?? "UTC";
  }

  #renew(): void {
    if (this.#reading === null) return;
    const { directory, spend } = this.#reading;
    this.#limits = limitsInForce(this.#config, directory, spend);
    this.#book.setBudgets(this.#limits.budgets());
  }
}

/**
 * Directory and limits as one thing to follow. The limits are read after the directory, so they are at least as new as its
 * revision says; a change between the two readings is told as another revision.
 */
export function spendFeed(
  stores: { readonly directory: DirectoryStore; readonly spendLimits: SpendLimitStore },
  nowMs: () => number,
): FeedSource<SpendReading> {
  return {
    subscribe: (onChange) => stores.directory.subscribe(onChange),
    load: async () => {
      const directory = await stores.directory.load();
      return { revision: directory.revision, directory, spend: await stores.spendLimits.load(nowMs()) };
    },
  };
}

function tagSettings({ tags }: Config): TagSettings {
  return { allowed: tags.allowed, header: tags.header, unknown: tags.unknown };
}
