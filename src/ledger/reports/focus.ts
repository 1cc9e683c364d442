import { formatUsd } from "../../core/money.ts";
import type { ExportRow } from "../../store/ports/reports.ts";

/** The version of the FinOps Open Cost and Usage Specification that exports follow: https://focus.finops.org */
export const FOCUS_VERSION = "1.2";

/** What is known of an exported row besides the row: names of people and teams, and which provider an upstream is. */
export interface FocusFacts {
  readonly organizationId: string;
  readonly organizationName: string;
  /** IANA zone of the billing periods. */
  readonly timeZone: string;
  teamName(id: string): string | null;
  /** The vendor that bills an upstream: `Anthropic`, `Amazon Web Services`, … */
  providerOf(target: string): string;
}

type FocusType = "String" | "Decimal" | "Date/Time" | "JSON";

/** One column: what the specification says of it, and what Weir puts into it. */
export interface FocusColumn {
  readonly name: string;
  readonly type: FocusType;
  readonly nullable: boolean;
  readonly allowed?: readonly string[];
  /** What Weir has for it, for the guide. */
  readonly source: string;
  readonly value: (row: ExportRow, facts: FocusFacts) => string | null;
}

const cost = (row: ExportRow): string => formatUsd(row.costMicroUsd);
const tokens = (row: ExportRow): string =>
  String(row.inputTokens + row.outputTokens + row.cacheReadTokens + row.cacheWriteTokens);
const provider = (row: ExportRow, facts: FocusFacts): string =>
  row.target === null ? "Weir" : facts.providerOf(row.target);
const text = (name: string, nullable: boolean): Pick<FocusColumn, "name" | "type" | "nullable"> => ({
  name,
  type: "String",
  nullable,
});
const decimal = (name: string, nullable = false): Pick<FocusColumn, "name" | "type" | "nullable"> => ({
  name,
  type: "Decimal",
  nullable,
});
const time = (name: string): Pick<FocusColumn, "name" | "type" | "nullable"> => ({
  name,
  type: "Date/Time",
  nullable: false,
});

/** Every mandatory column of FOCUS, the conditional ones that Weir has something for, and its own (`x_`). In this order. */
export const FOCUS_COLUMNS: readonly FocusColumn[] = [
  { ...decimal("BilledCost"), source: "cost at Weir's prices", value: cost },
  { ...text("BillingAccountId", false), source: "organisation id", value: (_, facts) => facts.organizationId },
  { ...text("BillingAccountName", true), source: "organisation name", value: (_, facts) => facts.organizationName },
  { ...text("BillingCurrency", false), source: "always USD", value: () => "USD" },
  {
    ...time("BillingPeriodEnd"),
    source: "end of the month, in the organisation's time zone",
    value: (row, facts) => monthOf(row.startMs, facts.timeZone, 1),
  },
  {
    ...time("BillingPeriodStart"),
    source: "start of the month, in the organisation's time zone",
    value: (row, facts) => monthOf(row.startMs, facts.timeZone, 0),
  },
  {
    ...text("ChargeCategory", false),
    allowed: ["Usage", "Purchase", "Tax", "Credit", "Adjustment"],
    source: "always Usage",
    value: () => "Usage",
  },
  {
    ...text("ChargeClass", true),
    allowed: ["Correction"],
    source: "null: entries are never corrected",
    value: () => null,
  },
  { ...text("ChargeDescription", true), source: "model and upstream", value: description },
  {
    ...text("ChargeFrequency", false),
    allowed: ["One-Time", "Recurring", "Usage-Based"],
    source: "always Usage-Based",
    value: () => "Usage-Based",
  },
  {
    ...time("ChargePeriodEnd"),
    source: "end of the day (UTC), or when the exchange was settled",
    // Exclusive, so after the start also for an exchange that took no time.
    value: (row) => isoTime(Math.max(row.endMs, row.startMs + 1)),
  },
  {
    ...time("ChargePeriodStart"),
    source: "start of the day (UTC), or when the exchange was admitted",
    value: (row) => isoTime(row.startMs),
  },
  { ...decimal("ConsumedQuantity", true), source: "tokens of all kinds", value: tokens },
  { ...text("ConsumedUnit", true), source: "always Tokens", value: () => "Tokens" },
  { ...decimal("ContractedCost"), source: "cost at Weir's prices", value: cost },
  { ...decimal("EffectiveCost"), source: "cost at Weir's prices", value: cost },
  { ...text("InvoiceIssuerName", false), source: "vendor of the upstream", value: provider },
  { ...decimal("ListCost"), source: "cost at Weir's prices", value: cost },
  {
    ...text("PricingCategory", true),
    allowed: ["Standard", "Dynamic", "Committed", "Other"],
    source: "always Standard",
    value: () => "Standard",
  },
  { ...decimal("PricingQuantity", true), source: "tokens of all kinds", value: tokens },
  { ...text("PricingUnit", true), source: "always Tokens", value: () => "Tokens" },
  { ...text("ProviderName", false), source: "vendor of the upstream", value: provider },
  {
    ...text("PublisherName", false),
    source: "Anthropic for Claude models, else the vendor of the upstream",
    value: (row, facts) => (row.model.startsWith("claude") ? "Anthropic" : provider(row, facts)),
  },
  { ...text("ResourceId", true), source: "model", value: (row) => row.model },
  { ...text("ResourceName", true), source: "model", value: (row) => row.model },
  { ...text("ResourceType", true), source: "always Model", value: () => "Model" },
  {
    ...text("ServiceCategory", false),
    allowed: ["AI and Machine Learning"],
    source: "always AI and Machine Learning",
    value: () => "AI and Machine Learning",
  },
  {
    ...text("ServiceName", false),
    source: "Claude, else Language models",
    value: (row) => (row.model.startsWith("claude") ? "Claude" : "Language models"),
  },
  {
    ...text("ServiceSubcategory", false),
    allowed: ["Generative AI"],
    source: "always Generative AI",
    value: () => "Generative AI",
  },
  { ...text("SubAccountId", true), source: "team id", value: (row) => row.teamId },
  {
    ...text("SubAccountName", true),
    source: "team name",
    value: (row, facts) => (row.teamId === null ? null : facts.teamName(row.teamId)),
  },
  {
    ...text("SubAccountType", true),
    source: "Team, where there is one",
    value: (row) => (row.teamId === null ? null : "Team"),
  },
  { name: "Tags", type: "JSON", nullable: true, source: "user, key, project tag, session, upstream", value: tagsOf },
  { ...text("x_ExchangeId", true), source: "request id, in exports by exchange", value: (row) => row.exchangeId },
  { ...decimal("x_Requests"), source: "requests", value: (row) => String(row.requests) },
  { ...decimal("x_InputTokens"), source: "input tokens", value: (row) => String(row.inputTokens) },
  { ...decimal("x_OutputTokens"), source: "output tokens", value: (row) => String(row.outputTokens) },
  { ...decimal("x_CacheReadTokens"), source: "cache reads", value: (row) => String(row.cacheReadTokens) },
  { ...decimal("x_CacheWriteTokens"), source: "cache writes", value: (row) => String(row.cacheWriteTokens) },
];

function description(row: ExportRow): string {
  return row.target === null ? `${row.model}, no upstream reached` : `${row.model} through ${row.target}`;
}

/** FOCUS wants plain strings, numbers or booleans as values; what is not known is left out. */
function tagsOf(row: ExportRow): string {
  const { userId: user, keyId: key, tag, sessionId: session, target: upstream } = row;
  const known = Object.entries({ user, key, project: tag, session, upstream }).filter(([, value]) => value !== null);
  return JSON.stringify(Object.fromEntries(known.map(([name, value]) => [`weir/${name}`, value])));
}

/** FOCUS writes times in UTC, ISO 8601, to the second or finer. */
function isoTime(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}

function monthOf(ms: number, timeZone: string, months: number): string {
  const first = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone).toPlainDate().with({ day: 1 });
  return isoTime(first.add({ months }).toZonedDateTime(timeZone).epochMilliseconds);
}
