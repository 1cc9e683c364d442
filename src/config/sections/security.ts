import { z } from "zod";

import { checked } from "../fields/checked.ts";
import { secret } from "../fields/secret.ts";

/** A pepper shorter than the HMAC's output would be its weakest part. */
export const MIN_PEPPER_BYTES = 32;

const pepper = checked(secret(), (value) => {
  const bytes = Buffer.byteLength(value, "utf8");
  if (value === "" || bytes >= MIN_PEPPER_BYTES) return null;
  return {
    message: `must be at least ${MIN_PEPPER_BYTES} bytes long, but is ${bytes}`,
    fix: "Generate one: openssl rand -base64 32.",
  };
});

/** Who may call, and what protects their keys. */
export const security = z
  .strictObject({
    key_pepper: pepper
      .optional()
      .describe(
        "Secret of at least 32 bytes under which keys are stored as HMAC. Changing it makes every key invalid. Needed in pre-prod and prod; elsewhere one is generated in `data_dir`.",
      ),
    auth: z
      .enum(["keys", "off"])
      .default("keys")
      .describe("`keys` asks every caller for a Weir key; `off` asks nobody and works only on a loopback address."),
  })
  .prefault({})
  .describe("Who may call, and what protects their keys.");
