import type { RunningCloud } from "../../harness/clouds/clouds.ts";
import type { FaultProxy } from "../../harness/clouds/fault-proxy.ts";
import { LiveAnswer } from "../../harness/http-answer.ts";
import { messageHeaders } from "../../harness/message-request.ts";
import { within } from "../../harness/waiting.ts";
import { measureLayout, type AnswerLayout } from "./answer-layout.ts";
import type { ClientFormat } from "./client-format.ts";
import type { ClientView } from "./client-view.ts";
import { promisedWhole, type FaultCase, type FaultSite, type Promised } from "./fault-cases.ts";

/** One exchange of the matrix: who asks how, whom, and what goes wrong there. */
export interface Cell {
  /** Distinct; the exchange's session, and a word of its prompt. */
  readonly id: string;
  readonly client: ClientFormat;
  readonly kind: string;
  /** The kind of the second target, which is well. */
  readonly backup: string;
  readonly fault: FaultCase;
  readonly isStream: boolean;
}

/** What its client got. */
export interface CellAnswer {
  readonly status: number;
  /** Whether HTTP said that the answer was complete. */
  readonly isWhole: boolean;
  /** The upstream that Weir names in the answer; null where none answered. */
  readonly upstream: string | null;
  readonly route: string | null;
  readonly view: ClientView;
}

export interface CellPlace {
  readonly cloud: RunningCloud;
  /** Another stand-in of the same kind, to measure its answers. */
  readonly twin: RunningCloud;
  readonly proxy: FaultProxy;
  readonly weir: { readonly url: string; readonly key: string };
}

const PATIENCE_MS = 120_000;

/** Long enough for some events in every format, with characters of one to four bytes. */
const TAIL =
  "and then the long way home: Grüße aus der Stadt, 世界 and 🌊, one word after another, until every format has made " +
  "several events of them, some of which are cut and some of which are not, as the test that asks for them says";

export function modelOf(cell: Cell): string {
  return `model-${cell.id}`;
}

export function primaryOf(cell: Cell): string {
  return `first-${cell.id}`;
}

export function backupOf(kind: string): string {
  return `backup-${kind}`;
}

/** What the model is to answer, word for word. */
export function replyOf(id: string): string {
  return `cell ${id} ${TAIL}`;
}

export function promptOf(id: string): string {
  return `Reply with exactly: ${replyOf(id)}`;
}

export function promisedTo({ fault, isStream }: Cell): Promised {
  return isStream ? fault.promised : promisedWhole(fault);
}

/** Prepares the fault, asks, strikes where the fault wants it, and reads the answer to its end. */
export async function runCell(cell: Cell, place: CellPlace): Promise<CellAnswer> {
  const site = new Site(cell, place);
  await cell.fault.prepare(site);
  const { url, key } = place.weir;
  const asking = { model: modelOf(cell), text: promptOf(cell.id), isStream: cell.isStream };
  const opening = LiveAnswer.open(url + cell.client.path(asking), {
    headers: messageHeaders(key, { "x-claude-code-session-id": cell.id }),
    body: cell.client.body(asking),
  });
  // Awaited below; where the strike fails, that is the reason.
  opening.catch(() => {});
  await strike(cell, site, opening);
  const live = await within(`${cell.id}: an answer`, opening, PATIENCE_MS);
  const isWhole = await within(`${cell.id}: the answer's end`, live.ended, PATIENCE_MS);
  const view = cell.isStream && live.status === 200 ? cell.client.viewStream : cell.client.viewWhole;
  const header = (name: string): string | null => {
    const value = live.headers[name];
    return typeof value === "string" ? value : null;
  };
  return {
    status: live.status,
    isWhole,
    upstream: header("x-weir-upstream"),
    route: header("x-weir-route"),
    view: view(live.bytes),
  };
}

async function strike({ id, fault, isStream }: Cell, site: Site, opening: Promise<LiveAnswer>): Promise<void> {
  if (fault.strike === undefined) return;
  // An answer that is not streamed does not begin, for its client, before it is whole.
  const moment: Promise<unknown> = fault.strike.when === "begun" && isStream ? opening : site.arrived;
  await within(`${id}: the moment to strike`, moment);
  fault.strike.now(site);
  site.end();
}

class Site implements FaultSite {
  readonly proxy: FaultProxy;
  readonly layout: () => Promise<AnswerLayout>;
  readonly arrived: Promise<void>;
  readonly struck: Promise<void>;
  /** To be called after the strike. */
  readonly end: () => void;
  readonly plan: FaultSite["plan"];

  constructor({ id, isStream }: Cell, { cloud, twin, proxy }: CellPlace) {
    const [arrived, struck] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    this.proxy = proxy;
    this.layout = () => measureLayout(twin, isStream, promptOf(id));
    this.arrived = arrived.promise;
    this.struck = struck.promise;
    this.end = struck.resolve;
    this.plan = (fault) => {
      const when = (request: { readonly body: Buffer }): boolean => {
        if (!request.body.includes(`cell ${id} `)) return false;
        arrived.resolve();
        return true;
      };
      // Every attempt there meets it, also one that should not be made.
      cloud.server.nextFault(fault, { when, times: 1_000 });
    };
  }
}
