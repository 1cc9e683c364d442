import type { Clock } from "../../core/clock.ts";
import type { DeviceGrant, GrantApproval, GrantPoll, SignInStore } from "../../store/ports/sign-in.ts";
import { StoreError } from "../../store/ports/store-error.ts";
import type { KeyHasher } from "../key-secret.ts";
import { formattedUserCode, newDeviceCode, newUserCode, normalizedUserCode } from "./device-codes.ts";

/** How long a device waits for its person, in seconds. */
export const GRANT_SECONDS = 600;
/** How often a device may ask, in seconds. */
export const POLL_SECONDS = 5;
/** A device whose clock and network are a little early is no nuisance. */
const POLL_TOLERANCE_MS = 1_000;
/** A code that is in use already: one in billions, so three tries are many. */
const MAX_TRIES = 3;

/** What a device gets: its own code, and the one for its person. */
export interface NewGrant {
  readonly deviceCode: string;
  readonly userCode: string;
}

/** A grant that a person is about to decide on. */
export interface PendingGrant extends DeviceGrant {
  /** As it is shown. */
  readonly userCode: string;
}

/** Devices that wait to be signed in (RFC 8628), in the store under HMACs of their codes. */
export class DeviceGrants {
  readonly #store: SignInStore;
  readonly #hasher: KeyHasher;
  readonly #clock: Clock;

  constructor(store: SignInStore, { hasher, clock }: { hasher: KeyHasher; clock: Clock }) {
    this.#store = store;
    this.#hasher = hasher;
    this.#clock = clock;
  }

  async begin(address: string): Promise<NewGrant> {
    for (let tries = 1; ; tries++) {
      const deviceCode = newDeviceCode();
      const userCode = newUserCode();
      const createdAtMs = this.#clock.nowMs();
      const expiresAtMs = createdAtMs + GRANT_SECONDS * 1_000;
      const [deviceHmac, userHmac] = [this.#deviceHmac(deviceCode), this.#userHmac(userCode.replace("-", ""))];
      try {
        await this.#store.createGrant({ deviceHmac, userHmac, createdAtMs, expiresAtMs, address });
        return { deviceCode, userCode };
      } catch (error) {
        const isTaken = error instanceof StoreError && error.kind === "duplicate";
        if (!isTaken || tries >= MAX_TRIES) throw error;
      }
    }
  }

  /** The grant that waits for a code as a person typed it; null when there is none. */
  async pending(typed: string): Promise<PendingGrant | null> {
    const letters = normalizedUserCode(typed);
    if (letters === null) return null;
    const grant = await this.#store.pendingGrant(this.#userHmac(letters), this.#clock.nowMs());
    return grant === null ? null : { ...grant, userCode: formattedUserCode(letters) };
  }

  /** False when it is not pending any more. */
  async approve(deviceHmac: string, approval: GrantApproval): Promise<boolean> {
    return await this.#store.approveGrant(deviceHmac, approval, this.#clock.nowMs());
  }

  /** False when it is not pending any more. */
  async deny(deviceHmac: string): Promise<boolean> {
    return await this.#store.denyGrant(deviceHmac, this.#clock.nowMs());
  }

  /** What a device that asks with its code is to be told. */
  async poll(deviceCode: string): Promise<GrantPoll> {
    const interval = POLL_SECONDS * 1_000 - POLL_TOLERANCE_MS;
    if (!/^[\w-]{43}$/.test(deviceCode)) return { state: "unknown" };
    return await this.#store.pollGrant(this.#deviceHmac(deviceCode), this.#clock.nowMs(), interval);
  }

  #deviceHmac(code: string): string {
    return this.#hasher.hmac(`device ${code}`);
  }

  #userHmac(letters: string): string {
    return this.#hasher.hmac(`user code ${letters}`);
  }
}
