import { hash, randomBytes } from "node:crypto";

import { KEY_CLASSES, type KeyClass } from "../message/principal.ts";

/** Bytes of randomness in a key: 256 bits. */
const SECRET_BYTES = 32;
/** Characters shown so that people recognise a key: class prefix and four more. */
const HINT_TAIL = 4;
/** SHA-256's block, which HMAC pads the pepper to (RFC 2104). */
const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const MAX_SECRET_BYTES = 128;
const SHAPE = /^wr-(prod|test|dev|ci)-[A-Za-z0-9_-]{43,86}$/;

/** A new secret such as `wr-prod-…`; shown once and stored nowhere. */
export function newKeySecret(keyClass: KeyClass): string {
  return `wr-${keyClass}-${randomBytes(SECRET_BYTES).toString("base64url")}`;
}

/** The class that a secret's prefix names, or null when the text cannot be a Weir key. */
export function classOfSecret(secret: string): KeyClass | null {
  const match = SHAPE.exec(secret);
  return KEY_CLASSES.find((keyClass) => keyClass === match?.[1]) ?? null;
}

/** The part of a secret that may be shown: `wr-prod-3f9a`. */
export function hintOfSecret(secret: string): string {
  // The dash after the class: the random part may have dashes of its own.
  const prefix = secret.indexOf("-", "wr-".length) + 1;
  return secret.slice(0, prefix + HINT_TAIL);
}

/**
 * HMAC-SHA-256 under the installation's pepper, hex. Two one-shot hashes over prepared pads: a third of the cost of
 * `createHmac`, which matters once a request. Equal to RFC 2104 (tested against node's own).
 *
 * Looking the result up in a Map leaks no usable timing: the key of the map is the MAC, which an attacker who does not
 * have the pepper can neither choose nor predict.
 */
export class KeyHasher {
  readonly #pads: { readonly inner: Buffer; readonly outer: Buffer };

  constructor(pepper: string) {
    const bytes = Buffer.from(pepper, "utf8");
    const block = Buffer.alloc(BLOCK_BYTES);
    (bytes.length > BLOCK_BYTES ? hash("sha256", bytes, "buffer") : bytes).copy(block);
    const pad = (value: number): Buffer => Buffer.from(block.map((byte) => byte ^ value));
    // Each pad is followed by room for what is hashed with it, so that a look-up allocates nothing.
    this.#pads = {
      inner: Buffer.concat([pad(0x36), Buffer.alloc(MAX_SECRET_BYTES)]),
      outer: Buffer.concat([pad(0x5c), Buffer.alloc(DIGEST_BYTES)]),
    };
  }

  /** The MAC of a secret of at most 128 bytes; longer ones (which are never Weir keys) throw RangeError. */
  hmac(secret: string): string {
    if (Buffer.byteLength(secret) > MAX_SECRET_BYTES) throw new RangeError("the secret is too long to be a key");
    const { inner, outer } = this.#pads;
    const end = BLOCK_BYTES + inner.write(secret, BLOCK_BYTES, "utf8");
    outer.write(hash("sha256", inner.subarray(0, end), "latin1"), BLOCK_BYTES, "latin1");
    inner.fill(0, BLOCK_BYTES, end);
    return hash("sha256", outer, "hex");
  }
}
