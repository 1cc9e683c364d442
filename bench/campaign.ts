import { describeOtherMeaning, meaningOf } from "./answer-meaning.ts";
import { type BenchCase, type Durations, answerOf, askingOf, estimateSeconds, translationOf } from "./cases.ts";
import { type Slice, measureSlice } from "./measure/slice.ts";
import type { Upstream } from "./native/upstream.ts";
import type { Peer } from "./peers/peer.ts";
import { type ExpectedAnswer, askOnce, describeDifference, expectedAnswer } from "./preflight.ts";
import { Progress } from "./progress.ts";
import type { RunningPeers, StartedPeer } from "./running-peers.ts";
import { DIRECT, type Failure, FellBehind, type Sample } from "./sample.ts";

export interface CampaignPlan {
  readonly cases: readonly BenchCase[];
  readonly peers: readonly Peer[];
  readonly durations: Durations;
  readonly upstream: Upstream;
  readonly running: RunningPeers;
  readonly tool: Slice["tool"];
  /** Ends the run after the measurement that is under way: `run` rejects with the signal's reason. */
  readonly signal: AbortSignal;
  readonly bodies: ReadonlyMap<string, { readonly paced: string; readonly unpaced: string }>;
}

/** What takes part in a round: a gateway, or the upstream itself. */
type Entrant = Pick<Slice, "peer" | "subject" | "port" | "headers"> & { readonly translates: boolean };

const MESSAGES_PATH = "/v1/messages";
const WARM_UP_ROUND = 0;
const WARM_UP: Partial<Durations> = { warmUpSeconds: 0.1, requestsSeconds: 5, firstTokenSeconds: 2 };
/** Most of a translated case's code is that of the case before it, which is warm. */
const WARM_UP_TRANSLATED: Partial<Durations> = { ...WARM_UP, requestsSeconds: 2 };

/**
 * One run: every gateway is started, asked once for each case and compared with the upstream's own answer, warmed up, and
 * then measured round by round, A B C A B C, so that a slow minute of the machine strikes all of them. Memory is measured
 * last, on gateways that have just started. What goes wrong is collected, never skipped over.
 */
export class Campaign {
  readonly samples: Sample[] = [];
  readonly failures: Failure[] = [];
  /** Where a gateway that may be slow was too slow to be measured. */
  readonly behind: Failure[] = [];
  readonly #plan: CampaignPlan;
  readonly #expected = new Map<string, ExpectedAnswer>();
  readonly #progress: Progress;

  constructor(plan: CampaignPlan) {
    this.#plan = plan;
    this.#progress = new Progress(this.#estimateSeconds());
  }

  async run(): Promise<void> {
    const { cases, upstream, durations } = this.#plan;
    const loadCases = cases.filter((one) => one.kind !== "memory");
    const direct: Entrant = { peer: DIRECT, subject: null, port: upstream.port, headers: {}, translates: false };
    const started = await this.#startAll();
    const entrants = started.map(entrantOf);
    for (const one of cases) await this.#preflight(one, direct, started);
    await this.#round(
      WARM_UP_ROUND,
      loadCases.filter((one) => one.kind !== "paced"),
      entrants,
    );
    for (let round = 1; round <= durations.rounds; round++) await this.#round(round, loadCases, [direct, ...entrants]);
    await this.#plan.running.stopAll();
    for (let round = 1; round <= durations.memoryRounds; round++) await this.#memoryRound(round);
    this.#progress.end();
  }

  async #startAll(): Promise<StartedPeer[]> {
    const started: StartedPeer[] = [];
    for (const peer of this.#plan.peers) {
      this.#progress.step("starting", peer.name);
      try {
        started.push(await this.#plan.running.start(peer, this.#plan.upstream.port));
      } catch (cause) {
        this.#fail(peer.name, "start", 0, cause);
      }
    }
    return started;
  }

  /**
   * Learns what each answer must look like, and that it is the upstream's, byte for byte, where the peer promises that; a
   * translated one must say the same as the upstream's.
   */
  async #preflight(one: BenchCase, direct: Entrant, started: readonly StartedPeer[]): Promise<void> {
    const bodyFile = this.#bodies(one).unpaced;
    const answer = answerOf(one, this.#plan.durations);
    const stamped = answer.kind === "stream" && answer.paceMs > 0;
    const own = await askOnce({ ...direct, path: MESSAGES_PATH, bodyFile });
    this.#expected.set(`${DIRECT} ${one.id}`, expectedAnswer(own, stamped));
    for (const peer of started) {
      if (!takesPart(entrantOf(peer), one)) continue;
      this.#progress.step("checking answers", peer.peer.name);
      try {
        const through = await askOnce({ ...peer, path: askingOf(one).path, bodyFile });
        const difference = describeWrongAnswer(one, { own, through, exact: peer.peer.answers === "exact" });
        if (difference !== null) throw new Error(`the answer differs from the upstream's: ${difference}`);
        this.#expected.set(`${peer.peer.name} ${one.id}`, expectedAnswer(through, stamped));
      } catch (cause) {
        this.#fail(peer.peer.name, one.id, 0, cause);
      }
    }
  }

  async #round(round: number, cases: readonly BenchCase[], entrants: readonly Entrant[]): Promise<void> {
    const label = round === WARM_UP_ROUND ? "warming up" : `round ${round}/${this.#plan.durations.rounds}`;
    for (const one of cases) {
      for (const entrant of entrants) {
        if (takesPart(entrant, one)) await this.#slice(`${label} · ${one.title}`, one, round, entrant);
      }
    }
  }

  async #memoryRound(round: number): Promise<void> {
    const one = this.#plan.cases.find(({ kind }) => kind === "memory");
    if (!one) return;
    for (const peer of this.#plan.peers) {
      if (!this.#expected.has(`${peer.name} ${one.id}`)) continue;
      const group = `memory ${round}/${this.#plan.durations.memoryRounds} · ${one.title}`;
      try {
        const started = await this.#plan.running.start(peer, this.#plan.upstream.port);
        await this.#slice(group, one, round, entrantOf(started));
        await started.stop();
      } catch (cause) {
        this.#fail(peer.name, one.id, round, cause);
      }
    }
  }

  async #slice(group: string, one: BenchCase, round: number, entrant: Entrant): Promise<void> {
    const { durations, tool, upstream, signal } = this.#plan;
    signal.throwIfAborted();
    const expected = this.#expected.get(`${entrant.peer} ${one.id}`);
    if (!expected) return; // it failed the preflight, which is recorded
    const { paced, unpaced } = this.#bodies(one);
    this.#progress.step(group, entrant.peer);
    const slice: Slice = {
      ...entrant,
      path: askingOf(one).path,
      case: one,
      round,
      expected,
      tool,
      upstream,
      bodyFile: paced,
      unpacedBodyFile: unpaced,
      durations: round === WARM_UP_ROUND ? warmUpOf(one, durations) : durations,
    };
    try {
      const sample = await measureSlice(slice);
      if (round !== WARM_UP_ROUND) this.samples.push(sample);
    } catch (cause) {
      this.#fail(entrant.peer, one.id, round, cause);
    }
    this.#progress.stepDone(estimateSeconds(one, slice.durations));
  }

  #fail(peer: string, caseId: string, round: number, cause: unknown): void {
    this.#plan.signal.throwIfAborted(); // what fails then, fails for that reason
    const failure = { peer, caseId, round, reason: cause instanceof Error ? cause.message : String(cause) };
    const mayBeSlow = this.#plan.peers.some((one) => one.name === peer && one.mayFallBehind);
    const isSlow = cause instanceof FellBehind && mayBeSlow;
    (isSlow ? this.behind : this.failures).push(failure);
    this.#progress.note(`${isSlow ? "too slow" : "FAILED"}  ${peer}, ${caseId}: ${failure.reason}`);
  }

  #bodies(one: BenchCase): { paced: string; unpaced: string } {
    const bodies = this.#plan.bodies.get(one.id);
    if (!bodies) throw new Error(`no request was prepared for ${one.id}`);
    return bodies;
  }

  #estimateSeconds(): number {
    const { cases, peers, durations } = this.#plan;
    const all = [
      { peer: DIRECT, translates: false },
      ...peers.map(({ name, translates }) => ({ peer: name, translates: translates === true })),
    ];
    const entrants = (one: BenchCase): number => all.filter((entrant) => takesPart(entrant, one)).length;
    return cases.reduce((sum, one) => {
      const rounds = one.kind === "memory" ? durations.memoryRounds : durations.rounds;
      const warmUp =
        one.kind === "memory" || one.kind === "paced"
          ? 0
          : all.filter((entrant) => entrant.peer !== DIRECT && takesPart(entrant, one)).length *
            estimateSeconds(one, warmUpOf(one, durations));
      return sum + rounds * entrants(one) * estimateSeconds(one, durations) + warmUp;
    }, 0);
  }
}

function warmUpOf(one: BenchCase, durations: Durations): Durations {
  return { ...durations, ...(translationOf(one) === null ? WARM_UP : WARM_UP_TRANSLATED) };
}

function takesPart(entrant: Pick<Entrant, "peer" | "translates">, one: BenchCase): boolean {
  if (translationOf(one) !== null) return entrant.translates;
  return entrant.peer !== DIRECT || one.kind === "paced" || one.kind === "first-token";
}

function entrantOf(started: StartedPeer): Entrant {
  const { peer, pid, databasePid, port, headers } = started;
  return { peer: peer.name, subject: { pid, databasePid }, port, headers, translates: peer.translates === true };
}

interface Answers {
  readonly own: Buffer;
  readonly through: Buffer;
  readonly exact: boolean;
}

/** What is wrong with the answer that came through a peer, `own` being the upstream's in Messages; null when it is right. */
function describeWrongAnswer(one: BenchCase, { own, through, exact }: Answers): string | null {
  const translation = translationOf(one);
  if (translation === null) return exact ? describeDifference(own, through) : null;
  const stream = one.kind !== "requests" || one.answer.kind === "stream";
  return describeOtherMeaning(meaningOf("messages", stream, own), meaningOf(translation.client, stream, through));
}
