import { z } from "zod";

import { durationMs, limit } from "../fields/number.ts";

/** Limits of a scope that apply to each subject without limits of its own. */
function defaultLimits(subject: string, maxConcurrent: number | "unlimited") {
  return z
    .strictObject({
      requests_per_minute: limit().default("unlimited").describe(`Requests that ${subject} may make in a minute.`),
      tokens_per_minute: limit()
        .default("unlimited")
        .describe(`Tokens, in and out, that ${subject} may use in a minute.`),
      max_concurrent_requests: limit()
        .default(maxConcurrent)
        .describe(`Requests that ${subject} may have open at once; more wait in the queue.`),
    })
    .prefault({})
    .describe(`Limits of ${subject}.`);
}

/** Limits of named subjects; what is not set falls back to the scope's default. */
function namedLimits(subjects: string) {
  const own = z.strictObject({
    requests_per_minute: limit().optional().describe("Instead of the default requests in a minute."),
    tokens_per_minute: limit().optional().describe("Instead of the default tokens in a minute."),
    max_concurrent_requests: limit().optional().describe("Instead of the default requests at once."),
  });
  return z
    .record(z.string().min(1), own)
    .default({})
    .describe(`Limits of single ${subjects} by name. What is not set here falls back to the default.`);
}

/** How much each subject may ask at a time. */
export const admission = z
  .strictObject({
    key: defaultLimits("each key", 10),
    user: defaultLimits("each user", "unlimited"),
    team: defaultLimits("each team", "unlimited"),
    organization: defaultLimits("each organization", "unlimited"),
    queue: z
      .strictObject({
        size: z
          .int()
          .min(0)
          .max(100_000)
          .default(100)
          .describe("Requests of one subject that may wait for a free place; 0 refuses at once."),
        timeout_ms: durationMs(0).default(60_000).describe("Longest wait in the queue, in milliseconds."),
      })
      .prefault({})
      .describe("Where requests beyond `max_concurrent_requests` wait."),
    keys: namedLimits("keys"),
    users: namedLimits("users"),
    teams: namedLimits("teams"),
    organizations: namedLimits("organizations"),
  })
  .prefault({})
  .describe(
    "Limits on requests, tokens and concurrency; a request must pass those of its key, user, team and organization.",
  );
