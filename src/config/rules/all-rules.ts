import type { Finding } from "../finding.ts";
import {
  adminPortIsInner,
  portsDiffer,
  publicBindIsAuthenticated,
  publicBindIsProtected,
  trustedProxiesAreNamed,
} from "./exposure.ts";
import { multiplierIsDiscount, pricesAreDistinct, pricesNameKnownUpstreams } from "./pricing.ts";
import { clientSettingsAreKnown, desktopKnowsItsGateway, policiesAreReached } from "./managed.ts";
import type { Rule, RuleInput } from "./rule.ts";
import {
  deploymentNamesKnownClouds,
  deploymentUsesEveryUpstream,
  geographyIsKnown,
  overridesNameWhatExists,
  weightsAddUp,
  zonesAgree,
} from "./routing.ts";
import {
  budgetsAreNotMultiplied,
  limitsAreCountedPerReplica,
  prodHasOwnDatabase,
  replicasShareStore,
} from "./scale.ts";
import { pepperIsSet, secretsAreReferred, secretsAreStrong } from "./secrets.ts";
import {
  modelIdsFitTheirUpstreams,
  modelsAreDistinct,
  modelsAreServedSomewhere,
  modelsNameKnownUpstreams,
  upstreamsServeSomething,
} from "./models.ts";
import { budgetedTagsAreAllowed, failClosedNeedsAdmin } from "./spend.ts";
import { totalCoversFirstByte } from "./time.ts";
import { openUpstreamsArePrivate, privateUpstreamsAreAllowed, upstreamsAreEncrypted } from "./upstream-address.ts";
import { sandboxIsNotInProd, upstreamNamesDiffer } from "./upstreams.ts";

/** Every check that looks across sections. What concerns one section alone stands at its schema. */
const RULES: readonly Rule[] = [
  publicBindIsProtected,
  publicBindIsAuthenticated,
  trustedProxiesAreNamed,
  adminPortIsInner,
  portsDiffer,
  secretsAreStrong,
  pepperIsSet,
  secretsAreReferred,
  upstreamNamesDiffer,
  sandboxIsNotInProd,
  upstreamsAreEncrypted,
  openUpstreamsArePrivate,
  privateUpstreamsAreAllowed,
  modelsNameKnownUpstreams,
  modelsAreDistinct,
  modelsAreServedSomewhere,
  modelIdsFitTheirUpstreams,
  upstreamsServeSomething,
  weightsAddUp,
  overridesNameWhatExists,
  deploymentNamesKnownClouds,
  deploymentUsesEveryUpstream,
  geographyIsKnown,
  zonesAgree,
  policiesAreReached,
  clientSettingsAreKnown,
  desktopKnowsItsGateway,
  totalCoversFirstByte,
  pricesNameKnownUpstreams,
  pricesAreDistinct,
  multiplierIsDiscount,
  failClosedNeedsAdmin,
  budgetedTagsAreAllowed,
  budgetsAreNotMultiplied,
  replicasShareStore,
  limitsAreCountedPerReplica,
  prodHasOwnDatabase,
];

/** What all rules find. */
export function applyRules(input: RuleInput): Finding[] {
  return RULES.flatMap((rule) => rule(input));
}
