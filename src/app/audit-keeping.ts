import type { AuditTrail } from "../core/audit-act.ts";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";
import type { Config } from "../config/schema.ts";
import { HeadSigner } from "../ledger/audit/head-signer.ts";
import { RetentionJob } from "../ledger/audit/retention-job.ts";
import type { AuditStore } from "../store/ports/audit.ts";
import { auditSigner, KeptHeads } from "./audit-signing-key.ts";
import type { ComponentStack } from "./component-stack.ts";
import { trustedKeys } from "./recorded-audit.ts";

/** Starts what keeps the audit trail of a running Weir: signing of its ends, and retention. */
export async function startAuditKeeping(
  stack: ComponentStack,
  parts: { store: AuditStore; trail: AuditTrail; config: () => Config; clock: Clock; logger: Logger },
): Promise<void> {
  const { store, trail, config, clock, logger } = parts;
  const signer = await auditSigner(config());
  const kept = new KeptHeads(config().data_dir);
  const intervalMs = config().audit.sign_interval_ms;
  const keep = kept.keep.bind(kept);
  await stack.start(new HeadSigner({ store, signer, clock, logger, intervalMs, keep }));
  const keys = trustedKeys(config(), signer);
  const days = (): { audit: number; security: number } => retentionDays(config());
  await stack.start(new RetentionJob({ store, trail, signer, keys, clock }, { logger, days }));
}

function retentionDays({ audit: { retention } }: Config): { audit: number; security: number } {
  return { audit: retention.audit_days, security: retention.security_days };
}
