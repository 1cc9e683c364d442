import { z } from "zod";

import { checked } from "../fields/checked.ts";
import { secret } from "../fields/secret.ts";

/** A key shorter than the HMAC's output would be its weakest part. */
export const MIN_JWT_SECRET_BYTES = 32;

const jwtSecret = () =>
  checked(secret(), (value) => {
    const bytes = Buffer.byteLength(value, "utf8");
    if (value === "" || bytes >= MIN_JWT_SECRET_BYTES) return null;
    return {
      message: `must be at least ${MIN_JWT_SECRET_BYTES} bytes long, but is ${bytes}`,
      fix: "Generate one: openssl rand -base64 32.",
    };
  });

/** The tokens that people who signed in hold. */
export const session = z
  .strictObject({
    jwt_secret: z
      .union([jwtSecret(), z.array(jwtSecret()).min(1)])
      .optional()
      .describe(
        "Secret of at least 32 bytes that signs session tokens. Of a list the first signs and all are accepted: prepend a new one, wait `ttl_hours`, drop the old one. Absent: derived from `security.key_pepper`.",
      ),
    ttl_hours: z
      .number()
      .positive()
      .max(168)
      .default(1)
      .describe("How long a session token is valid, in hours. Clients renew it in time where the provider lets them."),
    idle_days: z
      .int()
      .min(1)
      .max(365)
      .default(30)
      .describe("Days after which a session that was not renewed ends, and the person signs in again."),
  })
  .prefault({})
  .describe("The tokens that people get when they sign in.");
