import { isDeepStrictEqual } from "node:util";

import type { CredentialConfig } from "../../upstream/credentials/credential-config.ts";
import { createCredential, type CredentialContext } from "../../upstream/credentials/create-credential.ts";
import type { CredentialSource } from "../../upstream/credentials/credential.ts";
import type { NetworkSettings } from "../../upstream/credentials/token-network.ts";

/** What a credential is made for; the same again is the same credential. */
export interface CredentialOrder {
  /** Name of the upstream. */
  readonly upstream: string;
  readonly config: CredentialConfig;
  readonly network: NetworkSettings;
}

/** A credential in use, until it is given back. */
export interface HeldCredential {
  readonly source: CredentialSource;
  /** Gives it back; the last one to do so stops it. */
  release(): Promise<void>;
}

interface Entry {
  readonly order: CredentialOrder;
  readonly source: CredentialSource;
  readonly started: Promise<void>;
  users: number;
}

export type CredentialSurroundings = Pick<CredentialContext, "clock" | "scheduler" | "logger" | "random">;

/**
 * The credentials of running upstreams. One that is asked for again is kept with its value and its renewals: a reload that
 * changes an upstream's weight must not need a token endpoint that happens to be down.
 */
export class CredentialPool {
  readonly #surroundings: CredentialSurroundings;
  readonly #entries = new Set<Entry>();

  constructor(surroundings: CredentialSurroundings) {
    this.#surroundings = surroundings;
  }

  /** A started credential. Resolves when its first value has come or failed to, at the latest after three seconds. */
  async hold(order: CredentialOrder): Promise<HeldCredential> {
    const known = [...this.#entries].find((entry) => isDeepStrictEqual(entry.order, order));
    const entry = known ?? this.#begin(order);
    entry.users++;
    try {
      await entry.started;
    } catch (error) {
      await this.#release(entry);
      throw error;
    }
    let isHeld = true;
    return {
      source: entry.source,
      release: async () => {
        if (!isHeld) return;
        isHeld = false;
        await this.#release(entry);
      },
    };
  }

  #begin(order: CredentialOrder): Entry {
    const { upstream, network } = order;
    const source = createCredential(order.config, { ...this.#surroundings, upstream, network });
    const entry = { order, source, started: source.start(), users: 0 };
    this.#entries.add(entry);
    return entry;
  }

  async #release(entry: Entry): Promise<void> {
    entry.users--;
    if (entry.users > 0) return;
    this.#entries.delete(entry);
    await entry.source.stop();
  }
}
