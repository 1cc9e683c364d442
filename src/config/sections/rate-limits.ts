import { z } from "zod";

const perAddress = (max: number) => ({
  max: z.int().min(1).max(1_000_000).default(max).describe("Attempts in a window."),
  window_seconds: z.int().min(1).max(86_400).default(600).describe("Length of a window, in seconds."),
});

/** Limits on signing in, by client address. Those on inference stand under `admission`. */
export const rateLimits = z
  .strictObject({
    device_authorization: z
      .strictObject(perAddress(30))
      .prefault({})
      .describe("How often a device may ask to be signed in. Raise it where many people share one address."),
    device_verify: z
      .strictObject(perAddress(10))
      .prefault({})
      .describe("How often a code may be entered on the sign-in page."),
    token_failures: z
      .strictObject(perAddress(100))
      .prefault({})
      .describe("How often codes and refresh tokens may be presented that Weir does not know."),
  })
  .prefault({})
  .describe("Limits on signing in, for each client address (an IPv6 network of 64 bits counts as one).");

/** A sentence for the person who signs in. */
export const loginNotice = z
  .string()
  .min(1)
  .max(500)
  .optional()
  .describe(
    "A sentence of yours on the sign-in page and in Claude Code while it waits, for example whom to ask for help.",
  );
