import type { Clock } from "../core/clock.ts";
import { snakeKeys } from "../core/snake-keys.ts";
import { explainRoute, USUAL_TOKENS } from "../routing/explain-route.ts";
import type { OverloadGate } from "../routing/overload/overload-gate.ts";
import type { RouteTable } from "../routing/route-table.ts";
import type { Router } from "../routing/router.ts";

export interface RoutingPagesOptions {
  readonly router: Router;
  readonly clock: Clock;
  readonly overload: Pick<OverloadGate, "describe">;
  /** The routes of the present configuration. */
  readonly routes: () => RouteTable;
}

/** An answer of the admin port. */
export interface AdminAnswer {
  readonly status: number;
  readonly document: unknown;
}

/** Longest number of tokens that makes sense to ask about. */
const MAX_TOKENS = 100_000_000;

/** What the admin port says of routing: all that is known of upstreams, and where a request would go. */
export class RoutingPages {
  readonly #options: RoutingPagesOptions;

  constructor(options: RoutingPagesOptions) {
    this.#options = options;
  }

  /**
   * Health, circuits and load of every upstream and every model there, and how full this process is; times in milliseconds
   * since the epoch.
   */
  describe(): unknown {
    const { router, clock, overload } = this.#options;
    const nowMs = clock.monotonicMs();
    return snakeKeys({ ...router.describe(nowMs, clock.nowMs() - nowMs), overload: overload.describe() });
  }

  /** `model`, and where wanted `key`, `session`, `region`, `tokens`, `output_tokens`. */
  explain(query: URLSearchParams): AdminAnswer {
    const asked = query.get("model") ?? "";
    if (asked === "") return refused(400, "say which model: /v1/routing/explain?model=claude-sonnet-5");
    const inputTokens = tokensOf(query.get("tokens"), USUAL_TOKENS.input);
    const outputTokens = tokensOf(query.get("output_tokens"), USUAL_TOKENS.output);
    if (inputTokens === null || outputTokens === null) return refused(400, "tokens must be a whole number");
    const { router, clock, routes } = this.#options;
    const table = routes();
    const answer = explainRoute(
      {
        asked,
        keyId: query.get("key"),
        session: query.get("session"),
        region: query.get("region"),
        inputTokens,
        outputTokens,
      },
      { table, router, nowMs: clock.monotonicMs() },
    );
    if (answer !== null) return { status: 200, document: { ...answer.document, text: answer.text } };
    return refused(404, `no upstream serves ${JSON.stringify(asked)}`, { listed: table.listed.map(({ id }) => id) });
  }
}

function refused(status: number, error: string, more: object = {}): AdminAnswer {
  return { status, document: { error, ...more } };
}

function tokensOf(text: string | null, fallback: number): number | null {
  if (text === null) return fallback;
  return /^\d{1,9}$/.test(text) && Number(text) <= MAX_TOKENS ? Number(text) : null;
}
