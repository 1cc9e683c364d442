import type { AuditRow, AuditStatement, ChainId } from "../../store/ports/audit.ts";
import type { AuditFinding, ChainReport } from "./audit-finding.ts";
import { ChainVerifier } from "./chain-verifier.ts";
import type { ExportRecord } from "./export-records.ts";
import type { TrustedKeys } from "./statement-signer.ts";

const BATCH_ROWS = 1_000;

/** A record of an export, or why it is none. */
export type ReadRecord = ExportRecord | { readonly type: "malformed"; readonly line: number; readonly why: string };

/** An export as it is being looked through. */
interface OpenChain {
  readonly chain: ChainId;
  readonly verifier: ChainVerifier;
  rows: AuditRow[];
  heads: AuditStatement[];
}

/**
 * Looks through an export, holding a batch of it at a time. Every chain must have its signed start and end; what stands
 * outside of one is a finding.
 */
export async function verifyExport(
  records: AsyncIterable<ReadRecord>,
  { keys, onProgress }: { keys: TrustedKeys; onProgress?: (rows: number) => void },
): Promise<ChainReport[]> {
  const reports: ChainReport[] = [];
  let open: OpenChain | null = null;
  let rows = 0;
  for await (const record of records) {
    if (record.type === "malformed") {
      reports.push(
        fault(open?.chain ?? NO_CHAIN, "malformed", { seq: 0, message: `line ${record.line}: ${record.why}` }),
      );
    } else if (record.type === "row") {
      if (++rows % BATCH_ROWS === 0) onProgress?.(rows);
      if (open === null) reports.push(fault(record.row, "no_beginning", outside(record.row.seq)));
      else takeRow(open, record.row);
    } else if (record.statement.kind === "start") {
      if (open !== null) reports.push(cutOff(open));
      const { statement } = record;
      open = {
        chain: chainOf(statement),
        verifier: new ChainVerifier(chainOf(statement), { keys, origin: statement }),
        rows: [],
        heads: [],
      };
    } else if (open === null) {
      reports.push(fault(record.statement, "no_beginning", outside(record.statement.seq)));
    } else if (record.statement.kind === "end") {
      flush(open);
      reports.push(open.verifier.finishExport(record.statement));
      open = null;
    } else {
      open.heads.push(record.statement);
    }
  }
  if (open !== null) reports.push(cutOff(open));
  return reports;
}

const NO_CHAIN: ChainId = { organizationId: "?", retentionClass: "audit" };

function takeRow(open: OpenChain, row: AuditRow): void {
  if (open.rows.length >= BATCH_ROWS) flush(open);
  open.rows.push(row);
}

function flush(open: OpenChain): void {
  open.verifier.take(open.rows, open.heads);
  open.rows = [];
  open.heads = [];
}

function cutOff(open: OpenChain): ChainReport {
  flush(open);
  const report = open.verifier.finish(null);
  const message = "the export of this chain has no signed end: it was cut off, or its end removed";
  const finding: AuditFinding = { ...open.chain, kind: "truncated", seq: report.lastSeq + 1, message };
  return { ...report, findings: [...report.findings, finding] };
}

function outside(seq: number): { seq: number; message: string } {
  return { seq, message: "it stands outside of a signed start and end" };
}

function fault(
  { organizationId, retentionClass }: ChainId,
  kind: AuditFinding["kind"],
  { seq, message }: { seq: number; message: string },
): ChainReport {
  const finding: AuditFinding = { organizationId, retentionClass, kind, seq, message };
  const nothing = { rows: 0, heads: 0, firstSeq: 0, lastSeq: 0, unsignedRows: 0, moreFindings: 0 };
  return { organizationId, retentionClass, ...nothing, findings: [finding] };
}

function chainOf({ organizationId, retentionClass }: ChainId): ChainId {
  return { organizationId, retentionClass };
}
