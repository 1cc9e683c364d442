import type { Clock } from "../../core/clock.ts";
import { BodyStore } from "./body/body-store.ts";
import type { ExchangeResult } from "./exchange/exchange.ts";
import { Sender } from "./exchange/sender.ts";
import { LoadError } from "./load-error.ts";
import type { LoadPlan } from "./plan/load-plan.ts";
import { seededRandom } from "./random.ts";

/** One request may take this long before the run is given up. */
const MAX_WAIT_MS = 60_000;

/**
 * Sends one request of the plan's kind. Throws LoadError when the answer shows that every other would fail too: nothing
 * listens, the key or the path is wrong, the body is refused. Overload and server errors pass: those are for the run to count.
 */
export async function preflight(plan: LoadPlan, clock: Clock): Promise<void> {
  const bodies = new BodyStore(
    { ...plan.request, body: { label: "", sizes: plan.request.body.sizes.slice(0, 1) } },
    plan.seed,
  );
  const timeoutMs = Math.min(MAX_WAIT_MS, plan.limits.timeoutMs);
  const sender = new Sender({ ...plan, limits: { ...plan.limits, timeoutMs } }, clock, 1);
  const sweeping = setInterval(() => sender.sweep(), timeoutMs / 4);
  try {
    const result = await sender.send({
      template: bodies.pick(seededRandom(plan.seed)),
      marks: {
        nonce: "preflight",
        user: "0",
        maxTokens: plan.request.maxTokens,
        sharedPrefix: plan.request.sharedPrefix,
      },
      dueMs: clock.monotonicMs(),
      client: 0,
      onGap: () => {},
    });
    if (result !== null) judge(result, plan);
  } finally {
    clearInterval(sweeping);
    await sender.close();
  }
}

function judge({ failure, status }: ExchangeResult, plan: LoadPlan): void {
  if (failure === null) return;
  const target = new URL(plan.url);
  if (failure.kind === "connect" || failure.kind === "reset") {
    throw new LoadError(
      "unreachable",
      `${target.origin} does not answer (${failure.detail}: ${failure.message})`,
      "Start it, or correct --url.",
    );
  }
  if (failure.kind === "protocol") {
    throw new LoadError(
      "unreachable",
      `${plan.url} is no Messages endpoint (${failure.detail})`,
      "Correct --url; Weir's is http://127.0.0.1:8080.",
    );
  }
  if (failure.kind !== "http" || status === null || status >= 500 || status === 429) return;
  throw new LoadError(
    "unreachable",
    `the first request was refused: ${failure.detail}: ${failure.message}`,
    remedy(status),
  );
}

function remedy(status: number): string {
  const measureAnyway = "To measure such refusals, add --no-preflight.";
  if (status === 401 || status === 403)
    return `Check the key (WEIR_KEY, ANTHROPIC_API_KEY or --key-file). ${measureAnyway}`;
  if (status === 404) return `Check --url and --model. ${measureAnyway}`;
  if (status === 413) return `Choose a smaller --body. ${measureAnyway}`;
  return measureAnyway;
}
