import {
  type Table,
  cpuTable,
  firstTokenTable,
  memoryTable,
  rateTable,
  ratioTable,
  targetTable,
  transitTable,
  translationTable,
} from "./figures.ts";
import { isBusy } from "../machine.ts";
import type { Report } from "./report.ts";
import { summarise } from "./summary.ts";
import { judge } from "./targets.ts";

/** The page docs/performance.md. `chart` is the file name of the drawing beside it. */
export function renderMarkdown(report: Report, chart: string): string {
  const summary = summarise(report.samples);
  const { machine, cpus, durations } = report;
  const sections = [
    "# How fast Weir is",
    "<!-- Written by `npm run bench`; do not edit. -->",
    `Measured on ${report.startedAt.toISOString().slice(0, 10)} in one run of ${Math.round(report.seconds / 60)} minutes (${report.mode}, ${durations.rounds} rounds) on ${machine.cpu}, ` +
      `${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}. The gateways ran on core ${cpus.gateway}; the load, the upstream and Weir's PostgreSQL ran on core ${cpus.tools}. ` +
      "Absolute figures depend on the machine; the ratios of one run are what to look at.",
    "To repeat it: `npm ci && npm run bench` (Linux with two cores, gcc; `-- --quick` for four minutes, `-- --help` for more).",
    ...busyNote(report),
    ...failureSection(report),
    section(
      "Targets",
      markdownTable(targetTable(judge(summary))),
      "In brackets: the least and the greatest of a single round.",
    ),
    section(
      "CPU",
      `![CPU per request, drawn](${chart})`,
      ...[cpuTable(report, summary), ratioTable(report, summary), rateTable(report, summary)].map(titled),
      CPU_NOTE,
    ),
    section("Translation", markdownTable(translationTable(report, summary)), TRANSLATION_NOTE),
    section("Time to first token", markdownTable(firstTokenTable(summary)), FIRST_TOKEN_NOTE),
    section("Events of live streams", markdownTable(transitTable(summary)), TRANSIT_NOTE),
    section("Memory", markdownTable(memoryTable(summary)), MEMORY_NOTE),
    section("What was compared", peerList(report), ...behindNote(report)),
    section("How it is measured", METHOD),
  ];
  return `${sections.join("\n\n")}\n`;
}

const CPU_NOTE = `CPU is what all threads of the gateway's processes spent, from an idle gateway to an idle gateway, divided by the requests in between: work
that is done after the answer counts too. "db" is what PostgreSQL spent for it on the other core. Ratios are of medians; the bracket shows
the ratios of single rounds. Paced streams are measured well below saturation, per text event.`;

const TRANSLATION_NOTE = `One Weir serves all of it, with an upstream that speaks Messages and one that speaks Bedrock; the model named in a request decides.
"Pass-through" is a Messages client on the Messages upstream with a request of the same size and the same answer, measured right before in each round. Requests
to Bedrock are signed (SigV4), its events come as frames with checksums, the JSON in base64. Every translated answer is read once before it is measured: it must
say the same as the upstream's own.`;

const FIRST_TOKEN_NOTE = `Poisson arrivals, the same sequence for every gateway, 100 a second on average, bodies of 100 KB, answered with 20 events 7 ms apart. A time
counts from the moment the request was due, so that a gateway that falls behind is not let off. "Added" is the difference to the same load sent
straight to the upstream in the same round; all figures are medians of the rounds, brackets the least and the greatest of a round.`;

const TRANSIT_NOTE = `Each text event carries the time at which the upstream sent it. 200 streams, an event every 20 ms in each; upstream and client share a core,
which is why the direct way is not zero.`;

const MEMORY_NOTE = `1,000 streams with an event every 250 ms, opened within 2 s on a gateway that had just started and answered eight requests. Figures are the
proportional set size (Pss) of all the gateway's processes, so that pages shared between them count once; the greatest reading while all streams
were open. The embedded PostgreSQL is listed apart.`;

const METHOD = `- One upstream and one load generator, written in C (bench/native/), so that neither is what is slow. Requests are shaped as a coding agent
  sends them; the upstream sends every event in a write of its own.
- All gateways run at once and take turns, A B C A B C; only the one under load works. Medians over the rounds.
- Every answer is checked: status and length of each, every byte of one in sixteen, and that exactly as many requests reached the upstream as were
  sent. A wrong answer fails the run.
- CPU is read from /proc/PID/task/*/schedstat, memory from /proc/PID/smaps_rollup.
- The gateways do different things: nginx and the bare proxy neither know who asks nor what it may cost. The list above says what each does.`;

function section(title: string, ...parts: readonly string[]): string {
  return [`## ${title}`, ...parts].join("\n\n");
}

function titled(table: Table): string {
  return `${table.title}\n\n${markdownTable(table)}`;
}

function markdownTable(table: Table): string {
  if (table.rows.length === 0) return "Not measured in this run.";
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    line(table.columns),
    line(table.columns.map((_, column) => (column === 0 ? "---" : "---:"))),
    ...table.rows.map(line),
  ].join("\n");
}

function busyNote({ machine }: Report): string[] {
  if (!isBusy(machine)) return [];
  return [
    `**The machine was busy with other things when this run began (load average ${machine.loadBefore.toFixed(1)}); its times cannot be trusted.**`,
  ];
}

function failureSection(report: Report): string[] {
  if (report.failures.length === 0) return [];
  const lines = report.failures.map(
    ({ peer, caseId, round, reason }) => `- ${peer}, ${caseId}, round ${round}: ${reason.split("\n", 1)[0]}`,
  );
  return [`**This run failed; do not quote its figures.**\n\n${lines.join("\n")}`];
}

function behindNote(report: Report): string[] {
  if (report.behind.length === 0) return [];
  const lines = report.behind.map(
    ({ peer, caseId, round, reason }) => `- ${peer}, ${caseId}, round ${round}: ${reason}`,
  );
  return [`Too slow to be measured:\n\n${lines.join("\n")}`];
}

function peerList(report: Report): string {
  return [
    ...report.peers.map((peer) => `- **${peer.name}** ${peer.version}: ${peer.description}`),
    ...report.skipped.map((peer) => `- ${peer.name}: skipped, ${peer.reason}`),
  ].join("\n");
}
