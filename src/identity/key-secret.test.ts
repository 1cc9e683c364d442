import { createHmac } from "node:crypto";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { KEY_CLASSES } from "../message/principal.ts";
import { classOfSecret, hintOfSecret, KeyHasher, newKeySecret } from "./key-secret.ts";

const keyClass = fc.constantFrom(...KEY_CLASSES);
const base64url = fc.constantFrom(...Array.from("ABCXYZabcxyz019-_"));
/** A secret as an operator may choose one: any base64url, dashes in the first places included. */
const secret = fc
  .tuple(keyClass, fc.string({ unit: base64url, minLength: 43, maxLength: 86 }))
  .map(([keyClass, random]) => ({ keyClass, random, text: `wr-${keyClass}-${random}` }));

describe("newKeySecret", () => {
  it.each(KEY_CLASSES)("makes a %s key with 256 random bits behind a readable prefix", (keyClass) => {
    const secret = newKeySecret(keyClass);

    expect(secret).toMatch(new RegExp(`^wr-${keyClass}-[A-Za-z0-9_-]{43}$`));
    expect(classOfSecret(secret)).toBe(keyClass);
  });

  it("never makes the same key twice", () => {
    const secrets = Array.from({ length: 1_000 }, () => newKeySecret("dev"));

    expect(new Set(secrets).size).toBe(1_000);
  });
});

describe("classOfSecret", () => {
  it("reads the class of every well-formed secret", () => {
    fc.assert(
      fc.property(secret, ({ keyClass, text }) => {
        expect(classOfSecret(text)).toBe(keyClass);
      }),
    );
  });

  const random = "a".repeat(43);
  it.each([
    "",
    `wr-prod-${"a".repeat(42)}`,
    `wr-prod-${"a".repeat(87)}`,
    `wr-root-${random}`,
    `WR-prod-${random}`,
    ` wr-prod-${random}`,
    `wr-prod-${random}\n`,
    `wr-prod-${random}=`,
    `wr-prod-${random.slice(1)}é`,
    "sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789abcdefgh",
  ])("refuses %j", (text) => {
    expect(classOfSecret(text)).toBeNull();
  });
});

describe("hintOfSecret", () => {
  it("shows the prefix and four characters, never more, whatever the secret begins with", () => {
    fc.assert(
      fc.property(secret, ({ keyClass, random, text }) => {
        expect(hintOfSecret(text)).toBe(`wr-${keyClass}-${random.slice(0, 4)}`);
      }),
    );
  });
});

describe("KeyHasher", () => {
  /** Peppers shorter than SHA-256's block of 64 bytes, as long, and longer (which are hashed first), in any script. */
  const pepper = fc.oneof(
    fc.string({ maxLength: 80 }),
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.integer({ min: 60, max: 68 }).map((length) => "p".repeat(length)),
  );
  const message = fc.string({ unit: "binary", maxLength: 32 });

  it("equals node's own HMAC-SHA-256, for any pepper and any sequence of secrets", () => {
    fc.assert(
      fc.property(pepper, fc.array(message, { minLength: 1, maxLength: 5 }), (pepper, messages) => {
        const hasher = new KeyHasher(pepper);
        // Several with one hasher: what a longer secret leaves behind must not enter the next MAC.
        for (const message of messages) {
          expect(hasher.hmac(message)).toBe(createHmac("sha256", pepper).update(message, "utf8").digest("hex"));
        }
      }),
      { numRuns: 500 },
    );
  });

  it("takes secrets up to 128 bytes and refuses longer ones", () => {
    const hasher = new KeyHasher("pepper");

    expect(hasher.hmac("x".repeat(128))).toBe(createHmac("sha256", "pepper").update("x".repeat(128)).digest("hex"));
    expect(() => hasher.hmac("x".repeat(129))).toThrow(RangeError);
    expect(() => hasher.hmac("é".repeat(65))).toThrow(RangeError);
  });

  it("has room for every well-formed key", () => {
    fc.assert(
      fc.property(secret, ({ text }) => {
        expect(new KeyHasher("pepper").hmac(text)).toHaveLength(64);
      }),
    );
  });
});
