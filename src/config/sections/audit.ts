import { createPrivateKey, createPublicKey } from "node:crypto";

import { z } from "zod";

import { checked, type Problem } from "../fields/checked.ts";
import { durationMs } from "../fields/number.ts";
import { secret } from "../fields/secret.ts";

const LONGEST_DAYS = 36_500;
const SEVEN_YEARS_DAYS = 2_557;

const signingKey = checked(secret(), (pem) => {
  return problemOf(() => createPrivateKey(pem).asymmetricKeyType, "a PEM private key (PKCS #8)");
});

const publicKey = checked(z.string().min(1), (pem) => {
  return problemOf(() => createPublicKey(pem).asymmetricKeyType, "a PEM public key (SPKI)");
});

/** Who did what: the audit trail. */
export const audit = z
  .strictObject({
    exchanges: z
      .enum(["off", "metadata"])
      .default("off")
      .describe(
        "`metadata` writes a row for every exchange: who, from where, model, tokens, agent, and the SHA-256 of the request. Never its content.",
      ),
    signing_key: signingKey
      .optional()
      .describe(
        "Ed25519 private key that signs the ends of the chains, as PEM. Absent: one is generated in `data_dir`. Replicas with data directories of their own need the same one.",
      ),
    trusted_public_keys: z
      .array(publicKey)
      .max(100)
      .default([])
      .describe(
        "Public keys, as PEM, whose signatures `weir audit verify` believes besides the present key's: former keys.",
      ),
    sign_interval_ms: durationMs(1000)
      .default(60_000)
      .describe("How often, in milliseconds, the ends of chains that have grown are signed."),
    retention: z
      .strictObject({
        audit_days: z
          .int()
          .min(1)
          .max(LONGEST_DAYS)
          .default(SEVEN_YEARS_DAYS)
          .describe("Days for which administrative acts are kept; seven years unless set."),
        security_days: z
          .int()
          .min(1)
          .max(LONGEST_DAYS)
          .default(90)
          .describe("Days for which sign-ins and exchanges are kept."),
      })
      .prefault({})
      .describe(
        "How long rows are kept. What is removed leaves a signed checkpoint, so that the rest can still be verified.",
      ),
  })
  .prefault({})
  .describe("The audit trail: what is written, how it is signed, and how long it is kept.");

/** The key itself is in no message. */
function problemOf(typeOf: () => string | undefined, what: string): Problem | null {
  const fix = "Make a pair: openssl genpkey -algorithm ed25519 -out audit.pem; openssl pkey -in audit.pem -pubout.";
  let type: string | undefined;
  try {
    type = typeOf();
  } catch {
    return { message: `is not ${what}`, fix };
  }
  return type === "ed25519" ? null : { message: `is a key of type ${type ?? "unknown"}, not ed25519`, fix };
}
