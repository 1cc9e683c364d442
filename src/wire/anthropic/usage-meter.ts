import { emptyUsage, type Usage } from "../../message/usage.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Collects the usage of one answer from the `usage` objects that pass. Fields are cumulative: one that is present replaces
 * what was known, an absent one leaves it. Compaction passes (`iterations[]`) are billed but not part of the totals, so
 * they are kept apart and added at the end.
 */
export class UsageMeter {
  readonly #totals = emptyUsage();
  #compaction: Usage | null = null;
  #seen = false;

  /** Whether any usage was reported. */
  get seen(): boolean {
    return this.#seen;
  }

  /** Takes the `usage` object of a message or of an event; anything else is ignored. */
  read(source: unknown): void {
    if (!isObject(source)) return;
    this.#seen = true;
    readTotals(source, this.#totals);
    const iterations = source["iterations"];
    if (Array.isArray(iterations)) this.#compaction = sumCompaction(iterations);
  }

  /** What was used so far, compaction included. */
  result(): Usage {
    const extra = this.#compaction;
    if (extra === null) return this.#totals;
    return {
      ...this.#totals,
      inputTokens: this.#totals.inputTokens + extra.inputTokens,
      outputTokens: this.#totals.outputTokens + extra.outputTokens,
      cacheReadTokens: this.#totals.cacheReadTokens + extra.cacheReadTokens,
      cacheWrite5mTokens: this.#totals.cacheWrite5mTokens + extra.cacheWrite5mTokens,
      cacheWrite1hTokens: this.#totals.cacheWrite1hTokens + extra.cacheWrite1hTokens,
    };
  }
}

function readTotals(source: Fields, usage: Usage): void {
  usage.inputTokens = count(source["input_tokens"], usage.inputTokens);
  usage.outputTokens = count(source["output_tokens"], usage.outputTokens);
  usage.cacheReadTokens = count(source["cache_read_input_tokens"], usage.cacheReadTokens);
  readCacheWrites(source, usage);
  const tools = source["server_tool_use"];
  if (isObject(tools)) usage.webSearchRequests = count(tools["web_search_requests"], usage.webSearchRequests);
  usage.serviceTier = text(source["service_tier"], usage.serviceTier);
  usage.speed = text(source["speed"], usage.speed);
  usage.inferenceGeo = text(source["inference_geo"], usage.inferenceGeo);
}

/** The split by lifetime where it is given; what the sum has beyond it counts as five-minute writes. */
function readCacheWrites(source: Fields, usage: Usage): void {
  const split = source["cache_creation"];
  if (isObject(split)) {
    usage.cacheWrite5mTokens = count(split["ephemeral_5m_input_tokens"], usage.cacheWrite5mTokens);
    usage.cacheWrite1hTokens = count(split["ephemeral_1h_input_tokens"], usage.cacheWrite1hTokens);
  }
  const known = usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
  const sum = count(source["cache_creation_input_tokens"], known);
  if (sum > known) usage.cacheWrite5mTokens += sum - known;
}

function sumCompaction(iterations: readonly unknown[]): Usage {
  const sum = emptyUsage();
  for (const iteration of iterations) {
    if (!isObject(iteration) || iteration["type"] !== "compaction") continue;
    const one = emptyUsage();
    readTotals(iteration, one);
    sum.inputTokens += one.inputTokens;
    sum.outputTokens += one.outputTokens;
    sum.cacheReadTokens += one.cacheReadTokens;
    sum.cacheWrite5mTokens += one.cacheWrite5mTokens;
    sum.cacheWrite1hTokens += one.cacheWrite1hTokens;
  }
  return sum;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function count(value: unknown, known: number): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : known;
}

function text(value: unknown, known: string | null): string | null {
  return typeof value === "string" ? value : known;
}
