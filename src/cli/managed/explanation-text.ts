import type { EffectivePolicy } from "../../policy/managed/managed-policies.ts";
import type { ExplainedLeaf, ExplainedPolicy } from "../../policy/managed/explain-policy.ts";
import type { Style } from "../terminal/style.ts";
import { printable } from "../terminal/text-width.ts";

/** An explanation in words, a line for each value. */
export function explanationText(effective: EffectivePolicy, explained: ExplainedPolicy, style: Style): string[] {
  const { policy, base, leaves, desktop } = explained;
  const models = effective.models;
  return [
    `Policy: ${style.bold(policy)}${base === null ? "" : `, on top of ${style.bold(base)}`}`,
    `Models: ${models === null ? "all that Weir serves" : models.entries.map(printable).join(", ") || "none"}`,
    `Checksum: ${effective.checksum}`,
    "",
    style.bold("Claude Code"),
    ...leafLines(leaves, style),
    "",
    style.bold("Claude Desktop"),
    ...(desktop === null ? ["  not served: no policy of these has a desktop key"] : leafLines(desktop, style)),
  ];
}

function leafLines(leaves: readonly ExplainedLeaf[], style: Style): string[] {
  if (leaves.every(({ path }) => path.length === 0)) return ["  nothing"];
  const left = leaves.map(
    ({ path, value }) => `  ${path.map(printable).join(".")} = ${printable(JSON.stringify(value))}`,
  );
  return leaves.flatMap((leaf, i) => [
    left[i] ?? "",
    style.dim(`      ${leaf.setBy.join(" and ")}${leaf.insteadOf.map(insteadText).join("")}`),
  ]);
}

function insteadText({ source, value }: ExplainedLeaf["insteadOf"][number]): string {
  return `, instead of ${printable(JSON.stringify(value))} in ${source}`;
}
