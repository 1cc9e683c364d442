import type { Finding } from "../finding.ts";
import { refusal, type Rule, warning } from "./rule.ts";
import { modelIdentity, unknownUpstream } from "./upstreams.ts";

/** A price for an upstream that does not exist would silently not be charged. */
export const pricesNameKnownUpstreams: Rule = ({ config }) =>
  config.pricing.overrides.flatMap(({ upstream }, i): Finding[] => {
    const unknown = unknownUpstream(config, upstream);
    return unknown === null ? [] : [refusal("unknown_upstream", ["pricing", "overrides", i, "upstream"], unknown)];
  });

/** Two prices for one thing: nobody could say which is charged. */
export const pricesAreDistinct: Rule = ({ config: { pricing } }) => {
  const identities = pricing.overrides.map(({ upstream, model }) => JSON.stringify([upstream, modelIdentity(model)]));
  return identities.flatMap((identity, i): Finding[] => {
    const first = identities.indexOf(identity);
    if (first === i) return [];
    return [
      refusal("duplicate", ["pricing", "overrides", i, "model"], {
        message: `pricing.overrides[${first}] already prices this model on this upstream`,
        fix: "Remove one of the two rows. All spellings of a built-in model, such as one with a date, are one model.",
      }),
    ];
  });
};

/** A factor above 1 charges more than list price: allowed for internal charging, but often a slip. */
export const multiplierIsDiscount: Rule = ({ config: { pricing } }) => {
  if (pricing.multiplier <= 1) return [];
  return [
    warning("price_mark_up", ["pricing", "multiplier"], {
      message: `every amount will be metered at ${pricing.multiplier} times its price`,
      fix: "Nothing, if a mark-up is meant; for a discount write a number below 1.",
    }),
  ];
};
