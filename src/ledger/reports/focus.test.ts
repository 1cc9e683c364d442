import { describe, expect, it } from "vitest";

import type { ExportRow } from "../../store/ports/reports.ts";
import { FOCUS_COLUMNS, type FocusFacts } from "./focus.ts";

/** Names, types and whether they may be null: the columns of FOCUS 1.2 that must be in every data set. */
const MANDATORY: readonly (readonly [name: string, type: string, nullable: boolean])[] = [
  ["BilledCost", "Decimal", false],
  ["BillingAccountId", "String", false],
  ["BillingAccountName", "String", true],
  ["BillingCurrency", "String", false],
  ["BillingPeriodEnd", "Date/Time", false],
  ["BillingPeriodStart", "Date/Time", false],
  ["ChargeCategory", "String", false],
  ["ChargeClass", "String", true],
  ["ChargeDescription", "String", true],
  ["ChargePeriodEnd", "Date/Time", false],
  ["ChargePeriodStart", "Date/Time", false],
  ["ContractedCost", "Decimal", false],
  ["EffectiveCost", "Decimal", false],
  ["InvoiceIssuerName", "String", false],
  ["ListCost", "Decimal", false],
  ["PricingQuantity", "Decimal", true],
  ["PricingUnit", "String", true],
  ["ProviderName", "String", false],
  ["PublisherName", "String", false],
  ["ServiceCategory", "String", false],
  ["ServiceName", "String", false],
];
/** Every other column that FOCUS 1.2 has. */
const OTHERS = `AvailabilityZone BillingAccountType CapacityReservationId CapacityReservationStatus ChargeFrequency
  CommitmentDiscountCategory CommitmentDiscountId CommitmentDiscountName CommitmentDiscountQuantity
  CommitmentDiscountStatus CommitmentDiscountType CommitmentDiscountUnit ConsumedQuantity ConsumedUnit ContractedUnitPrice
  InvoiceId ListUnitPrice PricingCategory PricingCurrency PricingCurrencyContractedUnitPrice PricingCurrencyEffectiveCost
  PricingCurrencyListUnitPrice RegionId RegionName ResourceId ResourceName ResourceType ServiceSubcategory SkuId SkuMeter
  SkuPriceDetails SkuPriceId SubAccountId SubAccountName SubAccountType Tags`.split(/\s+/);

const FACTS: FocusFacts = {
  organizationId: "org_1",
  organizationName: "acme",
  timeZone: "Europe/Berlin",
  teamName: (id) => (id === "team_1" ? "core" : null),
  providerOf: () => "Anthropic",
};
const ROW: ExportRow = {
  exchangeId: "req_1",
  attempt: 1,
  startMs: Date.UTC(2026, 9, 31, 23, 30),
  endMs: Date.UTC(2026, 9, 31, 23, 30, 4, 250),
  teamId: "team_1",
  userId: "usr_1",
  keyId: "key_1",
  sessionId: null,
  tag: "apollo",
  model: "claude-opus-5",
  target: "anthropic",
  outcome: "complete",
  requests: 1,
  inputTokens: 10,
  outputTokens: 20,
  cacheReadTokens: 300,
  cacheWriteTokens: 4_000,
  costMicroUsd: 1_234_567,
};
const BARE: ExportRow = {
  ...ROW,
  teamId: null,
  userId: null,
  tag: null,
  target: null,
  exchangeId: null,
  endMs: ROW.startMs,
};

function values(row: ExportRow): Record<string, string | null> {
  return Object.fromEntries(FOCUS_COLUMNS.map(({ name, value }) => [name, value(row, FACTS)]));
}

describe("the FOCUS export", () => {
  it("has every mandatory column of FOCUS 1.2, with its type and nullability", () => {
    const columns = FOCUS_COLUMNS.map(({ name, type, nullable }) => [name, type, nullable]);
    for (const column of MANDATORY) expect(columns).toContainEqual(column);
  });

  it("has no column that FOCUS does not know, but its own with x_, and none twice", () => {
    const known = new Set([...MANDATORY.map(([name]) => name), ...OTHERS]);
    const names = FOCUS_COLUMNS.map(({ name }) => name);
    expect(names.filter((name) => !known.has(name) && !name.startsWith("x_"))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each([
    ["of an exchange", ROW],
    ["of an exchange that reached nobody", BARE],
    ["of a day", { ...ROW, exchangeId: null, sessionId: null, requests: 9, endMs: ROW.startMs + 86_400_000 }],
  ])("gives values that fit their columns, for a row %s", (_, row) => {
    for (const { name, type, nullable, allowed, value } of FOCUS_COLUMNS) {
      const given = value(row, FACTS);
      if (given === null) {
        expect.soft(nullable, `${name} may not be null`).toBe(true);
        continue;
      }
      if (allowed !== undefined) expect.soft(allowed, name).toContain(given);
      if (type === "Decimal") expect.soft(given, name).toMatch(/^-?\d+(\.\d+)?$/);
      if (type === "Date/Time") expect.soft(given, name).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
      if (type === "String") expect.soft(given, name).toMatch(/^\S(.*\S)?$/);
      if (type !== "JSON") continue;
      for (const tag of Object.values(JSON.parse(given) as Record<string, unknown>))
        expect.soft(tag).toBeTypeOf("string");
    }
    const { ChargePeriodStart: start, ChargePeriodEnd: end } = values(row);
    expect(Date.parse(end ?? "")).toBeGreaterThan(Date.parse(start ?? ""));
  });

  it("keeps money exact, and months in the organisation's time zone", () => {
    expect(values(ROW)).toMatchObject({
      BilledCost: "1.234567",
      EffectiveCost: "1.234567",
      ListCost: "1.234567",
      BillingPeriodStart: "2026-10-31T23:00:00Z",
      BillingPeriodEnd: "2026-11-30T23:00:00Z",
      ChargePeriodEnd: "2026-10-31T23:30:04.250Z",
      ConsumedQuantity: "4330",
      SubAccountName: "core",
      Tags: '{"weir/user":"usr_1","weir/key":"key_1","weir/project":"apollo","weir/upstream":"anthropic"}',
    });
  });
});
