import {
  type ProviderUsage,
  ProviderUsageSums,
  ReconciliationError,
} from "../../ledger/reconciliation/provider-usage.ts";
import { readAnthropicPage } from "../../ledger/reconciliation/read-anthropic.ts";
import { CliError } from "../cli-error.ts";

const TIMEOUT_MS = 30_000;
/** The API gives at most this many days at once. */
const DAYS_A_PAGE = 31;
const MOST_PAGES = 200;

const REPORTS = [
  { path: "/v1/organizations/usage_report/messages", group: "model" },
  { path: "/v1/organizations/cost_report", group: "description" },
] as const;

/** Where Anthropic's Usage & Cost API is asked, with which key, for whole days (UTC) from `fromDay` until before `toDay`. */
export interface AnthropicQuestion {
  readonly url: string;
  readonly adminKey: string;
  readonly fromDay: string;
  readonly toDay: string;
}

/** Usage and cost by day and model, all pages. Throws CliError `unavailable` when the API does not answer as documented. */
export async function askAnthropic(question: AnthropicQuestion): Promise<readonly ProviderUsage[]> {
  const sums = new ProviderUsageSums();
  for (const { path, group } of REPORTS) {
    let page: string | null = null;
    for (let asked = 0; asked < MOST_PAGES; asked++) {
      const url = new URL(path, question.url);
      url.searchParams.set("starting_at", `${question.fromDay}T00:00:00Z`);
      url.searchParams.set("ending_at", `${question.toDay}T00:00:00Z`);
      url.searchParams.set("bucket_width", "1d");
      url.searchParams.set("limit", String(DAYS_A_PAGE));
      url.searchParams.append("group_by[]", group);
      if (page !== null) url.searchParams.set("page", page);
      const read = await pageAt(url, question.adminKey);
      for (const row of read.rows) sums.add(row);
      page = read.nextPage;
      if (page === null) break;
    }
    if (page !== null) throw failed(question.url, `it has more than ${MOST_PAGES} pages`);
  }
  return sums.rows();
}

async function pageAt(url: URL, adminKey: string): Promise<ReturnType<typeof readAnthropicPage>> {
  try {
    const response = await fetch(url, {
      headers: { "x-api-key": adminKey, "anthropic-version": "2023-06-01", accept: "application/json" },
      // The key goes to the address that was named, and nowhere else.
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new ReconciliationError(`it answered ${response.status}: ${text.slice(0, 300)}`);
    return readAnthropicPage(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw failed(`${url.origin}${url.pathname}`, reason, error);
  }
}

function failed(where: string, reason: string, cause?: unknown): CliError {
  return new CliError("unavailable", `the Usage & Cost API at ${where} cannot be used: ${reason}`, {
    remedy: "Check --url, and that ANTHROPIC_ADMIN_KEY holds an Admin API key of the organisation (sk-ant-admin…).",
    cause,
  });
}
