import type { Command } from "commander";

import { formatUsd } from "../../core/money.ts";
import { windowAt } from "../../core/calendar-window.ts";
import { type DailyCost, type Forecast, forecastMonth, LEAST_DAYS, MOST_DAYS } from "../../ledger/reports/forecast.ts";
import type { DayCost } from "../../store/ports/reports.ts";
import { EXIT } from "../cli-error.ts";
import { defineCommand, type Host } from "../define-command.ts";
import { addOrganizationOption, type ReportFrame, type ReportOptions, withReport } from "../report/report-frame.ts";
import { sparkline } from "../terminal/bars.ts";

/** Days that are read: those that the method looks at, and the month so far. */
const DAYS_READ = MOST_DAYS + 31;

const METHOD =
  "Spent so far, plus for each day to come the level of the last two and four weeks times the factor of its weekday; the interval holds 9 times of 10 where days differ by chance, less often while usage grows.";

/** `weir report forecast`. */
export function reportForecastCommand(host: Host): Command {
  const command = defineCommand({
    name: "forecast",
    summary: "what this month will have cost at its end",
    description: `Forecasts the cost of the organisation's month with an interval. ${METHOD}`,
    examples: [{ line: "weir report forecast" }, { line: "weir report forecast --json" }],
  });
  return addOrganizationOption(command).action(async (options: ReportOptions) =>
    host.finish(await withReport(host, options, showForecast)),
  );
}

async function showForecast(frame: ReportFrame): Promise<number> {
  const { records, organization, output, nowMs } = frame;
  const { timeZone } = organization;
  const today = windowAt("day", nowMs, timeZone);
  const date = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timeZone).toPlainDate();
  const first = date.subtract({ days: DAYS_READ });
  const fromMs = first.toZonedDateTime(timeZone).epochMilliseconds;
  const read = await records.reports.days({ organizationId: organization.id, fromMs, toMs: Infinity, timeZone });
  const days = everyDay(read, date);
  const forecast = forecastMonth({
    past: days.slice(0, -1),
    today: days.at(-1) ?? { day: date.toString(), costMicroUsd: 0 },
    todayShare: (nowMs - today.startMs) / (today.endMs - today.startMs),
  });
  const month = date.toString().slice(0, 7);
  output.result(forecastDocument(forecast, month, frame), () => forecastText(forecast, { days, month, frame }));
  return EXIT.ok;
}

/** From the first day with usage to today, those without usage with 0. */
function everyDay(read: readonly DayCost[], today: Temporal.PlainDate): DailyCost[] {
  const costs = new Map(read.map(({ day, costMicroUsd }) => [day, costMicroUsd]));
  const days: DailyCost[] = [];
  let day = Temporal.PlainDate.from(read[0]?.day ?? today.toString());
  for (; Temporal.PlainDate.compare(day, today) <= 0; day = day.add({ days: 1 })) {
    days.push({ day: day.toString(), costMicroUsd: costs.get(day.toString()) ?? 0 });
  }
  return days;
}

function forecastDocument(forecast: Forecast | null, month: string, { organization }: ReportFrame): object {
  const about = {
    organization: { id: organization.id, name: organization.name },
    time_zone: organization.timeZone,
    month,
    method: METHOD,
  };
  if (forecast === null) return { ...about, forecast: null, least_days: LEAST_DAYS };
  const money = (name: string, microUsd: number): object => ({
    [`${name}_usd`]: formatUsd(microUsd),
    [`${name}_micro_usd`]: microUsd,
  });
  return {
    ...about,
    forecast: {
      ...money("spent", forecast.spentMicroUsd),
      ...money("expected", forecast.expectedMicroUsd),
      ...money("low", forecast.lowMicroUsd),
      ...money("high", forecast.highMicroUsd),
      interval: 0.9,
      basis_days: forecast.basisDays,
      days: forecast.days.map(({ day, costMicroUsd }) => ({ day, ...money("expected", costMicroUsd) })),
    },
  };
}

function forecastText(
  forecast: Forecast | null,
  { days, month, frame }: { days: readonly DailyCost[]; month: string; frame: ReportFrame },
): string[] {
  const { organization, output } = frame;
  const { style } = output;
  const title = style.bold(`${organization.name}, ${month} (${organization.timeZone})`);
  if (forecast === null) {
    return [title, `No forecast yet: it needs ${LEAST_DAYS} whole days of usage, and there are ${days.length - 1}.`];
  }
  const dollars = (microUsd: number): string => `${formatUsd(Math.round(microUsd / 10_000) * 10_000)} USD`;
  const lines = [
    title,
    "",
    `Spent so far   ${formatUsd(forecast.spentMicroUsd)} USD`,
    `Expected       ${style.bold(dollars(forecast.expectedMicroUsd))} at the end of the month`,
    `9 times of 10  ${dollars(forecast.lowMicroUsd)} to ${dollars(forecast.highMicroUsd)}`,
  ];
  const ofMonth = days.filter(({ day }) => day.startsWith(month));
  // Today has its part in both: what is spent, and what is still to come.
  const past = ofMonth.slice(0, -1).map(({ costMicroUsd }) => costMicroUsd);
  const [rest = 0, ...coming] = forecast.days.map(({ costMicroUsd }) => costMicroUsd);
  const all = [...past, (ofMonth.at(-1)?.costMicroUsd ?? 0) + rest, ...coming];
  const picture = sparkline(all);
  if (output.terminal.out.isTty) {
    lines.push(
      "",
      `${style.dim("per day")}        ${style.cyan(picture.slice(0, past.length))}${style.dim(picture.slice(past.length))}`,
    );
  }
  const basis = forecast.basisDays < 28 ? ` It rests on ${forecast.basisDays} days only.` : "";
  return [...lines, "", style.dim(`${METHOD}${basis}`)];
}
