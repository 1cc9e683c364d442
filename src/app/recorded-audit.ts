import type { AuditAccess } from "../cli/cli-context.ts";
import type { AuditTrail } from "../core/audit-act.ts";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";
import type { Config } from "../config/schema.ts";
import { AuditRecorder } from "../ledger/audit/audit-recorder.ts";
import { HeadSigner } from "../ledger/audit/head-signer.ts";
import { type StatementSigner, TrustedKeys } from "../ledger/audit/statement-signer.ts";
import type { AuditStore } from "../store/ports/audit.ts";
import { auditSigner, KeptHeads } from "./audit-signing-key.ts";

/** The audit trail as one command uses it: what it records is signed when it ends. */
export class RecordedAudit {
  readonly #config: Config;
  readonly #parts: { store: AuditStore; clock: Clock; logger: Logger };
  #signer: StatementSigner | null = null;
  #hasRecorded = false;

  constructor(config: Config, parts: { store: AuditStore; clock: Clock; logger: Logger }) {
    this.#config = config;
    this.#parts = parts;
  }

  async open(): Promise<AuditAccess> {
    const { store, clock } = this.#parts;
    const signer = await auditSigner(this.#config);
    this.#signer = signer;
    const recorder = new AuditRecorder(store, clock);
    const kept = new KeptHeads(this.#config.data_dir);
    const trail: AuditTrail = {
      record: async (act) => {
        await recorder.record(act);
        this.#hasRecorded = true;
      },
    };
    const trusted = trustedKeys(this.#config, signer);
    return { store, trail, signer, trusted, keptHead: (chain) => kept.read(chain) };
  }

  async close(): Promise<void> {
    if (this.#signer === null || !this.#hasRecorded) return;
    const kept = new KeptHeads(this.#config.data_dir);
    const keep = kept.keep.bind(kept);
    await new HeadSigner({ ...this.#parts, signer: this.#signer, intervalMs: 0, keep }).signSafely();
  }
}

/** The keys whose signatures are believed: the present one, and former ones that the configuration names. */
export function trustedKeys(config: Config, signer: StatementSigner): TrustedKeys {
  return new TrustedKeys([signer.publicKey, ...config.audit.trusted_public_keys]);
}
