import { formatUsd } from "../core/money.ts";
import type { DecidingRule, ExplainedTarget, Explanation } from "./explanation.ts";
import { durationWords, groupedNumber } from "./words.ts";

const RULES: Readonly<Record<DecidingRule, string>> = {
  affinity: "decided by affinity: the session's prompt cache is warm there",
  deployment: "decided by the deployment strategy",
  strategy: "decided by the strategy",
  health: "decided by health: nothing else can be used",
  only_target: "the only target",
  none: "no target serves it",
};

/** An explanation for people, line by line, in columns. Plain text without colours. */
export function explainText(explanation: Explanation): readonly string[] {
  const planned = explanation.targets.filter(({ use }) => use !== "excluded");
  const [first] = planned;
  const goes = first === undefined ? "goes nowhere" : `goes to ${first.upstream}`;
  const deployment = explanation.deployment === "none" ? "" : `, deployment ${explanation.deployment}`;
  return [
    `${explanation.model} ${goes}: ${RULES[explanation.decidedBy]} (strategy ${explanation.strategy}${deployment})`,
    ...(explanation.panic && first !== undefined
      ? ["No target can be used; all are tried all the same, the most hopeful first."]
      : []),
    ...sessionLines(explanation),
    "",
    ...targetLines(explanation.targets),
  ];
}

function sessionLines({ affinity }: Explanation): readonly string[] {
  if (affinity.reason === "no_session") return [];
  const lines = [`Session: ${affinity.words}.`];
  if (affinity.warmTarget !== null) {
    const tokens = groupedNumber(affinity.warmTokens);
    lines.push(`  warm: ${tokens} tokens at ${affinity.warmTarget}, for another ${durationWords(affinity.warmForMs)}`);
  }
  if (affinity.moved) lines.push(`  lost by moving: $${formatUsd(affinity.lostMicroUsd)}`);
  return lines;
}

function targetLines(targets: readonly ExplainedTarget[]): readonly string[] {
  const rows = targets.map((target) => [
    target.place === null ? "-" : String(target.place),
    target.upstream,
    target.upstreamModel,
    [target.cloud, target.region].filter((part) => part !== null).join(" ") || "-",
    target.reason ?? "excluded",
  ]);
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const margin = " ".repeat(widths.reduce((sum, width) => sum + width + 2, 2));
  return targets.flatMap((target, i) => {
    const cells = (rows[i] ?? []).map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
    const [because = "", ...more] = target.because;
    return [`  ${cells}  ${because}`, ...more.map((reason) => margin + reason)];
  });
}
