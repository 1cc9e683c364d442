import { Instrument, type HistogramHandle, type Slot } from "./instruments.ts";

/** Seconds; model answers take from a tenth of a second to many minutes. */
const RESPONSE_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600];
/** Seconds; a stage of Weir's own takes microseconds, waiting stages take what they wait for. */
const STAGE_BUCKETS = [0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];
/** Users who get a series of their own in token counts; the rest share one. */
const MAX_USERS = 1_000;

/** What one settled exchange adds to the metrics. */
export interface ExchangeSample {
  readonly model: string;
  readonly status: number;
  readonly userType: string;
  readonly userId: string;
  readonly seconds: number;
  readonly firstTokenSeconds: number | null;
  readonly tokens: number;
  readonly costMicroUsd: number;
  readonly errorType: string | null;
  /** How it ended. */
  readonly outcome: string;
}

/** Handles of one model and user (whose kind never changes): found by two look-ups, then bumped. */
interface Bound {
  readonly byStatus: Map<number, Slot>;
  readonly response: HistogramHandle;
  readonly firstToken: HistogramHandle;
  readonly tokens: Slot;
  readonly cost: Slot;
}

/** The metrics of the data plane, under the names that the operations documents ask for and Weir's own. */
export class GatewayMetrics {
  readonly #requests = counter("claude_requests_total", "Requests answered, by model, HTTP status and kind of caller.");
  readonly #response = histogram(
    "claude_response_time_seconds",
    "Time from request to the last byte.",
    RESPONSE_BUCKETS,
  );
  readonly #firstToken = histogram(
    "claude_time_to_first_token_seconds",
    "Time from request to first content.",
    RESPONSE_BUCKETS,
  );
  readonly #active = gauge("claude_active_connections", "Requests in progress.");
  readonly #tokens = counter("claude_tokens_consumed_total", "Tokens of all kinds, by model and user.", MAX_USERS * 4);
  readonly #cost = counter("weir_cost_micro_usd_total", "Cost in micro-dollars, by model.");
  readonly #errors = counter("claude_errors_total", "Errors given to callers, by type and model.");
  readonly #refusals = counter("weir_refusals_total", "Requests that Weir itself refused, by its error code.");
  readonly #failedAttempts = counter(
    "weir_failed_attempts_total",
    "Attempts that failed before anything was relayed, by upstream and kind of failure.",
  );
  readonly #retries = counter(
    "weir_retries_total",
    "Attempts that followed a failed one, by the upstream that was asked then and whether it was asked again or instead.",
  );
  readonly #outcomes = counter("weir_exchanges_total", "Exchanges that have ended, by how.");
  readonly #stages = histogram("weir_stage_seconds", "Time in each stage of an exchange.", STAGE_BUCKETS);
  /** By model, then by user: two look-ups cost less than building one key of both. */
  readonly #bound = new Map<string, Map<string, Bound>>();
  readonly #outcomeSlots = new Map<string, Slot>();
  readonly #errorSlots = new Map<string, Slot>();
  readonly #activeSlot = this.#active.slot({});

  readonly instruments: readonly Instrument[] = [
    this.#requests,
    this.#response,
    this.#firstToken,
    this.#active,
    this.#tokens,
    this.#cost,
    this.#errors,
    this.#refusals,
    this.#failedAttempts,
    this.#retries,
    this.#outcomes,
    this.#stages,
  ];

  /** The handle for a stage's time; bind it once. */
  stage(name: string): HistogramHandle {
    return this.#stages.histogram({ stage: name });
  }

  begun(): void {
    this.#activeSlot.add(1);
  }

  ended(): void {
    this.#activeSlot.add(-1);
  }

  /** A request that Weir answered with an error of its own, wherever on its way. */
  refused(code: string): void {
    this.#refusals.slot({ code }).add(1);
  }

  /** `failure` is the kind of it, or the status. */
  attemptFailed(upstream: string, failure: string): void {
    this.#failedAttempts.slot({ upstream, failure }).add(1);
  }

  /** A further attempt: at the same upstream (`retry`) or at another one (`failover`). */
  retried(upstream: string, kind: "retry" | "failover"): void {
    this.#retries.slot({ upstream, kind }).add(1);
  }

  record(sample: ExchangeSample): void {
    const bound = this.#handles(sample);
    let status = bound.byStatus.get(sample.status);
    if (status === undefined) {
      status = this.#requests.slot({
        model: sample.model,
        status: String(sample.status),
        user_type: sample.userType,
      });
      bound.byStatus.set(sample.status, status);
    }
    status.add(1);
    bound.response.observe(sample.seconds);
    if (sample.firstTokenSeconds !== null) bound.firstToken.observe(sample.firstTokenSeconds);
    if (sample.tokens > 0) bound.tokens.add(sample.tokens);
    if (sample.costMicroUsd > 0) bound.cost.add(sample.costMicroUsd);
    if (sample.errorType !== null) this.#error(sample.errorType, sample.model);
    this.#outcome(sample.outcome);
  }

  #outcome(outcome: string): void {
    let slot = this.#outcomeSlots.get(outcome);
    if (slot === undefined) {
      slot = this.#outcomes.slot({ outcome });
      this.#outcomeSlots.set(outcome, slot);
    }
    slot.add(1);
  }

  #error(errorType: string, model: string): void {
    const key = `${errorType}/${model}`;
    let slot = this.#errorSlots.get(key);
    if (slot === undefined) {
      slot = this.#errors.slot({ error_type: errorType, model });
      this.#errorSlots.set(key, slot);
    }
    slot.add(1);
  }

  #handles({ model, userId }: ExchangeSample): Bound {
    let byUser = this.#bound.get(model);
    if (byUser === undefined) {
      byUser = new Map();
      this.#bound.set(model, byUser);
    }
    const known = byUser.get(userId);
    if (known !== undefined) return known;
    // Bounded: beyond this many users the map starts over; the series themselves live on in their instruments.
    if (byUser.size >= MAX_USERS) byUser.clear();
    const bound: Bound = {
      byStatus: new Map(),
      response: this.#response.histogram({ model }),
      firstToken: this.#firstToken.histogram({ model }),
      tokens: this.#tokens.slot({ model, user_id: userId }),
      cost: this.#cost.slot({ model }),
    };
    byUser.set(userId, bound);
    return bound;
  }
}

function counter(name: string, help: string, maxSeries?: number): Instrument {
  return new Instrument({ name, help, kind: "counter", ...(maxSeries === undefined ? {} : { maxSeries }) });
}

function gauge(name: string, help: string): Instrument {
  return new Instrument({ name, help, kind: "gauge" });
}

function histogram(name: string, help: string, buckets: readonly number[]): Instrument {
  return new Instrument({ name, help, kind: "histogram", buckets });
}
