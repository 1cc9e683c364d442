import type { Entry } from "../../../src/message/entry.ts";
import { backupOf, primaryOf, promisedTo, replyOf, type Cell, type CellAnswer } from "./fault-cell.ts";
import type { Promised } from "./fault-cases.ts";

/**
 * What a client got.
 *
 * - `right`: the whole answer, word for word.
 * - `altered`: an answer that looks whole and is not what the model said.
 * - `error`: an error in the words of its format, as a status or at the end of a stream.
 * - `cut`: a stream that visibly broke off after its first event.
 * - `nothing`: a broken connection without any event.
 * - `garbled`: something that its format does not allow, so that the client's own parser refuses it.
 * - `invented`: an end that nobody said: a stream that HTTP calls complete without one.
 */
export type Verdict = "right" | "altered" | "error" | "cut" | "nothing" | "garbled" | "invented";

export function verdictOf(cell: Cell, { status, isWhole, view }: CellAnswer): Verdict {
  if (view.unreadable > 0) return "garbled";
  if (status !== 200) return view.end === "error" && isWhole ? "error" : "invented";
  if (view.end === "error") return cell.isStream ? "error" : "invented";
  if (view.end === "proper") {
    if (!isWhole) return "invented";
    return view.text === replyOf(cell.id) ? "right" : "altered";
  }
  if (isWhole) return cell.isStream ? "invented" : "garbled";
  if (!replyOf(cell.id).startsWith(view.text)) return "altered";
  return view.events > 0 ? "cut" : "nothing";
}

/** One cell with all that is known of it afterwards. */
export interface CellResult {
  readonly cell: Cell;
  readonly answer: CellAnswer;
  readonly verdict: Verdict;
  /** The ledger's rows of the exchange. */
  readonly entries: readonly Entry[];
  /** Inferences of it that began at a provider, so that a bill may have them. */
  readonly charges: number;
}

/** What of a cell is not as promised; empty when all is. */
export function complaintsOf(result: CellResult): string[] {
  const { cell, entries, verdict } = result;
  const promised = promisedTo(cell);
  const complaints = [...answerComplaints(result, promised)];
  if (entries.length !== 1) complaints.push(`${entries.length} rows in the ledger`);
  for (const entry of entries) complaints.push(...entryComplaints(result, entry));
  const place = `${cell.id} ${cell.client.name} → ${cell.kind} (then ${cell.backup}), ${cell.isStream ? "stream" : "whole"}`;
  return complaints.map((complaint) => `${place}, ${cell.fault.name}: ${complaint} [${verdict}; ${seen(result)}]`);
}

/** What the client may get, and from whom. */
const ALLOWED: Readonly<Record<Promised, readonly Verdict[]>> = {
  here: ["right"],
  elsewhere: ["right"],
  early: ["right", "cut", "error"],
  broken: ["cut", "error"],
  verbatim: ["error"],
  spoilt: ["right", "altered", "garbled", "cut", "error"],
};

function answerComplaints({ cell, answer, verdict }: CellResult, promised: Promised): string[] {
  const complaints: string[] = [];
  if (!ALLOWED[promised].includes(verdict)) complaints.push(`${promised} was promised`);
  const wanted = { here: primaryOf(cell), elsewhere: backupOf(cell.backup) }[promised as string]; // the others leave it open
  if (wanted !== undefined && answer.upstream !== wanted)
    complaints.push(`answered by ${answer.upstream}, not ${wanted}`);
  if (promised === "verbatim" && answer.view.error !== "this request is wrong") complaints.push("not word for word");
  // Failing over was allowed, as the client had nothing: then it succeeds.
  if (promised === "spoilt" && isChecked(cell) && (verdict === "altered" || verdict === "garbled")) {
    complaints.push("what a checksum shows has passed");
  }
  const failedOpen = verdict === "error" && answer.view.events <= 1 && promised !== "verbatim";
  if (failedOpen) complaints.push("an error where another target could have answered");
  return complaints;
}

/** Whether every byte of the answer's body is under a checksum. */
function isChecked({ kind, isStream, client }: Cell): boolean {
  // Bytes of Bedrock that a Bedrock client gets as they came are checked by the client.
  return isStream && (kind === "custom-sagemaker" || (kind === "bedrock" && client.name !== "bedrock"));
}

function entryComplaints({ cell, verdict, answer }: CellResult, entry: Entry): string[] {
  const complaints: string[] = [];
  const isGood = verdict === "right" || verdict === "altered" || verdict === "garbled";
  if ((entry.outcome === "complete") !== isGood && verdict !== "garbled") complaints.push(`outcome ${entry.outcome}`);
  if (entry.status !== answer.status) complaints.push(`status ${entry.status} in the ledger`);
  if (entry.attempts !== (entry.target === primaryOf(cell) ? 1 : 2)) complaints.push(`${entry.attempts} attempts`);
  if (entry.target !== answer.upstream) complaints.push(`${entry.target} in the ledger`);
  if (answer.status === 200 && !(entry.costMicroUsd > 0)) complaints.push("no cost");
  return complaints;
}

function seen({ answer, entries, charges }: CellResult): string {
  const { status, isWhole, view, route } = answer;
  const rows = entries.map(({ outcome, target, attempts }) => `${outcome} by ${target} after ${attempts}`);
  return [
    `status ${status}`,
    isWhole ? "whole" : "broken",
    `${view.events} events, end ${view.end}, ${view.unreadable} unreadable`,
    view.error ?? "no error",
    `route ${route}`,
    ...rows,
    `${charges} charges`,
  ].join("; ");
}
