import { z } from "zod";

import { checkedMembers } from "../fields/checked.ts";
import { durationMs, probability } from "../fields/number.ts";
import { upstreamName } from "./upstream-common.ts";
import { placeFields, regionLabel, trafficFields } from "./upstream-traffic.ts";

const faults = checkedMembers(
  z.strictObject({
    rate_limited: probability().default(0).describe("Share of requests answered with 429 and `retry-after`."),
    overloaded: probability().default(0).describe("Share of requests answered with 529."),
    server_error: probability().default(0).describe("Share of requests answered with 500."),
    slow_first_byte: probability().default(0).describe("Share of requests whose answer begins late."),
    slow_first_byte_ms: durationMs().default(30_000).describe("How late a slow answer begins, in milliseconds."),
    reset: probability()
      .default(0)
      .describe("Share of requests whose connection is closed before any byte of the answer."),
    cut: probability().default(0).describe("Share of streams whose connection is cut."),
    silence: probability().default(0).describe("Share of streams that fall silent but stay open."),
    after_events: z.int().min(0).max(10_000).default(5).describe("Events that a cut or silent stream sends before."),
  }),
  (value) => {
    const shares = [
      "rate_limited",
      "overloaded",
      "server_error",
      "slow_first_byte",
      "reset",
      "cut",
      "silence",
    ] as const;
    const total = shares.reduce((sum, name) => sum + value[name], 0);
    if (total <= 1 + 1e-9) return [];
    return [
      {
        path: [],
        message: "the shares of faults add up to more than 1",
        fix: "Each request has one fate: lower them.",
      },
    ];
  },
);

/** The built-in upstream that answers without any provider. */
export const sandboxUpstream = z.strictObject({
  provider: z.literal("sandbox").describe("The built-in upstream: speaks the Anthropic API and costs nothing."),
  name: upstreamName("sandbox"),
  seed: z.int().min(0).default(1).describe("The same seed and request give the same answer."),
  latency_ms: durationMs(0).default(50).describe("Time to the first byte, in milliseconds."),
  tokens_per_second: z
    .union([z.number().positive().max(1_000_000), z.literal("unlimited")], {
      error: "must be a number above 0, or the word unlimited",
    })
    .default(100)
    .describe("Speed of generation in output tokens a second; `unlimited` sends as fast as it is read."),
  faults: faults.prefault({}).describe("Faults to inject, each as a share of requests from 0 to 1."),
  region: regionLabel,
  ...placeFields(null),
  ...trafficFields,
});
