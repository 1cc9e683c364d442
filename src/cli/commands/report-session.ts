import type { Command } from "commander";

import { formatUsd } from "../../core/money.ts";
import { burnRate } from "../../ledger/reports/burn-rate.ts";
import { type AgentNode, type SessionTree, sessionTree } from "../../ledger/reports/session-tree.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { defineCommand, type Host } from "../define-command.ts";
import { quoted } from "../directory/find-record.ts";
import { isoTime } from "../keys/key-document.ts";
import { ownerOf } from "../report/labels.ts";
import { addOrganizationOption, type ReportFrame, type ReportOptions, withReport } from "../report/report-frame.ts";
import { count, dateTime, duration, sumsDocument, withBars } from "../report/report-text.ts";
import { printable } from "../terminal/text-width.ts";

const EXAMPLES = [
  { line: "weir report session 5f0c2a1e-77aa-4c0e-9f0e-2b8d5f3c9a10" },
  { line: "weir report session 5f0c2a1e-77aa-4c0e-9f0e-2b8d5f3c9a10 --json" },
];

/** `weir report session`. */
export function reportSessionCommand(host: Host): Command {
  const command = defineCommand({
    name: "session",
    summary: "what a session cost, by agent and subagent",
    description:
      "Shows the cost tree of one session: the conversation, the agents that it started, and theirs. An agent whose parent never asked anything in this session is shown under a parent that is not known. Each line says what the agent cost itself, and with everything below it.",
    examples: EXAMPLES,
  }).argument("<id>", "id of the session, as `weir report sessions` shows it");
  return addOrganizationOption(command).action(async (id: string, options: ReportOptions) =>
    host.finish(await withReport(host, options, (frame) => showSession(frame, id))),
  );
}

async function showSession(frame: ReportFrame, id: string): Promise<number> {
  const { records, organization, output } = frame;
  const tree = sessionTree(await records.reports.session(organization.id, id));
  if (tree === null) {
    throw new CliError("not_found", `there is no session ${quoted(id)} in ${organization.name}`, {
      remedy: "`weir report sessions` lists the dearest ones; usage appears within seconds of the answer.",
      details: { session: id },
    });
  }
  output.result(sessionDocument(id, tree, frame), () => sessionText(id, tree, frame));
  return EXIT.ok;
}

function sessionDocument(id: string, tree: SessionTree, frame: ReportFrame): object {
  return {
    session: id,
    organization: { id: frame.organization.id, name: frame.organization.name },
    owner: ownerOf(tree, frame.names),
    user_id: tree.userId,
    key_id: tree.keyId,
    from: isoTime(tree.firstAtMs),
    to: isoTime(tree.lastAtMs),
    burn_rate_usd_per_hour: formatUsd(burnRate({ ...tree, costMicroUsd: tree.total.costMicroUsd })),
    total: sumsDocument(tree.total),
    agents: tree.roots.map(nodeDocument),
  };
}

function nodeDocument(node: AgentNode): object {
  return {
    kind: node.kind,
    agent_id: node.agentId,
    models: node.models,
    from: isoTime(node.firstAtMs),
    to: isoTime(node.lastAtMs),
    own: sumsDocument(node.own),
    total: sumsDocument(node.total),
    agents: node.children.map(nodeDocument),
  };
}

interface Line {
  readonly label: string;
  readonly node: AgentNode;
}

function sessionText(id: string, tree: SessionTree, { output, names, organization }: ReportFrame): string[] {
  const { style, terminal } = output;
  const lines = tree.roots.flatMap((root) => treeLines(root, "", ""));
  const burn = formatUsd(Math.round(burnRate({ ...tree, costMicroUsd: tree.total.costMicroUsd }) / 10_000) * 10_000);
  const about = [
    printable(ownerOf(tree, names)),
    `${dateTime(tree.firstAtMs, organization.timeZone)} (${organization.timeZone})`,
    duration(tree.lastAtMs - tree.firstAtMs),
    `${formatUsd(tree.total.costMicroUsd)} USD`,
    `${burn} USD an hour`,
  ];
  const table = withBars(
    [
      { header: "AGENT", cells: lines.map(({ label }) => label), footer: "Total", isFlexible: true },
      { header: "MODELS", cells: lines.map(({ node }) => node.models.join(", ")), isFlexible: true },
      {
        header: "REQUESTS",
        cells: lines.map(({ node }) => count(node.own.requests)),
        align: "right",
        footer: count(tree.total.requests),
      },
      { header: "OWN USD", cells: lines.map(({ node }) => formatUsd(node.own.costMicroUsd)), align: "point" },
      {
        header: "WITH BELOW",
        cells: lines.map(({ node }) => formatUsd(node.total.costMicroUsd)),
        align: "point",
        footer: formatUsd(tree.total.costMicroUsd),
      },
    ],
    { values: lines.map(({ node }) => node.own.costMicroUsd), total: tree.total.costMicroUsd },
    { style, columns: terminal.out.columns },
  );
  return [style.bold(`Session ${printable(id)}`), about.join(", "), "", ...table];
}

function treeLines(node: AgentNode, own: string, below: string): Line[] {
  const name =
    node.kind === "main"
      ? "conversation"
      : node.kind === "unknown_parent"
        ? "(parent not known)"
        : (node.agentId ?? "");
  const children = node.children.flatMap((child, at) => {
    const isLast = at === node.children.length - 1;
    return treeLines(child, `${below}${isLast ? "└─ " : "├─ "}`, `${below}${isLast ? "   " : "│  "}`);
  });
  return [{ label: `${own}${name}`, node }, ...children];
}
