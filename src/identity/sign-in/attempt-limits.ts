import type { Clock } from "../../core/clock.ts";
import type { SignInStore } from "../../store/ports/sign-in.ts";
import type { KeyHasher } from "../key-secret.ts";
import { addressBlock } from "./address-block.ts";

export type AttemptKind = "device_authorization" | "device_verify" | "token_failures";
export type AttemptSettings = Readonly<Record<AttemptKind, { readonly max: number; readonly window_seconds: number }>>;

/** How often one address may try things, counted in the store so that all replicas count together. */
export class AttemptLimits {
  readonly #store: SignInStore;
  readonly #hasher: KeyHasher;
  readonly #clock: Clock;
  readonly #settings: () => AttemptSettings;

  constructor(store: SignInStore, options: { hasher: KeyHasher; clock: Clock; settings: () => AttemptSettings }) {
    this.#store = store;
    this.#hasher = options.hasher;
    this.#clock = options.clock;
    this.#settings = options.settings;
  }

  /** Counts an attempt of an address; false when it is one too many. Addresses are kept as HMACs. */
  async allows(kind: AttemptKind, address: string): Promise<boolean> {
    const { max, window_seconds } = this.#settings()[kind];
    const name = this.#hasher.hmac(`attempt ${kind} ${addressBlock(address)}`);
    return (await this.#store.countAttempt(name, window_seconds * 1_000, this.#clock.nowMs())) <= max;
  }

  retryAfterSeconds(kind: AttemptKind): number {
    return this.#settings()[kind].window_seconds;
  }
}
