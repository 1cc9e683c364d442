import { passThroughOf, translationOf } from "../cases.ts";
import type { Spread } from "../measure/statistics.ts";
import { formatNumber } from "./figures.ts";
import type { Report } from "./report.ts";
import { type CpuFigure, type Summary, YARDSTICK, findCpu } from "./summary.ts";
import { SUBJECT } from "./targets.ts";

const WIDTH = 860;
const MARGIN = 24;
const LABEL_WIDTH = 118;
const VALUE_WIDTH = 150;
const BAR_HEIGHT = 15;
const BAR_STEP = 21;
const BAR_SPACE = WIDTH - 2 * MARGIN - LABEL_WIDTH - VALUE_WIDTH;
const PANEL_HEAD = 30;
const PANEL_GAP = 18;
const HEAD = 62;
/** A bar longer than so many times the bare proxy's is cut, or one slow gateway would make all others look alike. */
const LONGEST_RATIO = 20;

const STYLE = `text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#1c2430}.title{font-size:17px;font-weight:600}.note,.value{fill:#5a6675}
.case{font-size:13px;font-weight:600}.bar{fill:#a9b4c0}.own{fill:#0b7285}.whisker{stroke:#1c2430;stroke-opacity:.55}.ground,.cut{fill:#fff}
@media(prefers-color-scheme:dark){text{fill:#e6ebf1}.note,.value{fill:#9aa7b5}.bar{fill:#526070}.own{fill:#3bb3c6}.whisker{stroke:#e6ebf1}.ground,.cut{fill:#12171d}}`;

interface Bar {
  readonly label: string;
  readonly figure: CpuFigure;
  readonly ratio: string;
  readonly own: boolean;
}

interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
  /** What the others are measured by; bars of many times its length are cut. */
  readonly yardstick: CpuFigure;
}

/** CPU per request and gateway as bars, one panel a case with a scale of its own; the thin line spans the rounds. */
export function renderChart(report: Report, summary: Summary): string {
  const panels = [...gatewayPanels(report, summary), ...translationPanels(report, summary)];
  let y = HEAD;
  const drawn = panels.map((panel) => {
    const svg = renderPanel(panel, y);
    y += PANEL_HEAD + panel.bars.length * BAR_STEP + PANEL_GAP;
    return svg;
  });
  const title = "CPU per request on one core, microseconds: shorter is better";
  const note = `${report.machine.cpu}, ${report.startedAt.toISOString().slice(0, 10)}, median of ${report.durations.rounds} interleaved rounds; each panel has its own scale`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="${escape(title)}">
<style>${STYLE}</style>
<rect class="ground" width="100%" height="100%" rx="8"/>
${text(MARGIN, 30, "title", title)}
${text(MARGIN, 49, "note", note)}
${drawn.join("\n")}
</svg>
`;
}

/** A panel a case: the gateways side by side. */
function gatewayPanels(report: Report, summary: Summary): Panel[] {
  return report.cases.flatMap((one) => {
    if ((one.kind !== "requests" && one.kind !== "paced") || translationOf(one) !== null) return [];
    const figures = report.peers.flatMap((peer) => findCpu(summary, peer.name, one.id) ?? []);
    const yardstick = figures.find((figure) => figure.peer === YARDSTICK) ?? figures[0];
    if (yardstick === undefined) return [];
    const bars = figures.map((figure) => ({
      label: figure.peer,
      figure,
      ratio: ratioText(figure.toBare, "bare"),
      own: figure.peer === SUBJECT,
    }));
    return [{ title: one.kind === "paced" ? `${one.title}: per event` : one.title, bars, yardstick }];
  });
}

/** A panel for each case that was also measured translated: Weir with and without. */
function translationPanels(report: Report, summary: Summary): Panel[] {
  return report.cases.flatMap((passThrough) => {
    const yardstick = findCpu(summary, SUBJECT, passThrough.id);
    if (yardstick === undefined) return [];
    const translated = report.cases.flatMap((one): Bar[] => {
      const figure = findCpu(summary, SUBJECT, one.id);
      if (figure === undefined || passThroughOf(one.id) !== passThrough.id) return [];
      const label = translationOf(one)?.label ?? one.id;
      return [{ label, figure, ratio: ratioText(figure.toPassThrough, "pass-through"), own: true }];
    });
    if (translated.length === 0) return [];
    const first: Bar = { label: "pass-through", figure: yardstick, ratio: "", own: true };
    return [{ title: `${passThrough.title}: Weir translating`, bars: [first, ...translated], yardstick }];
  });
}

function ratioText(ratio: Spread | null, to: string): string {
  return ratio === null ? "" : `  (${formatNumber(ratio.median)} × ${to})`;
}

function renderPanel({ title, bars, yardstick }: Panel, top: number): string {
  const fitting = bars.filter(({ figure }) => figure.us.median <= yardstick.us.median * LONGEST_RATIO);
  const scale = BAR_SPACE / Math.max(...fitting.map(({ figure }) => figure.us.max));
  const drawn = bars.map((bar, index) => renderBar(bar, top + PANEL_HEAD + index * BAR_STEP, scale));
  return [text(MARGIN, top + 18, "case", title), ...drawn].join("\n");
}

function renderBar({ label, figure, ratio, own }: Bar, y: number, scale: number): string {
  const x = MARGIN + LABEL_WIDTH;
  const length = (us: number): number => Math.min(us * scale, BAR_SPACE);
  const isCut = figure.us.median * scale > BAR_SPACE;
  const [from, to] = [x + length(figure.us.min), x + length(figure.us.max)].map((at) => at.toFixed(1));
  const middle = y + BAR_HEIGHT / 2;
  return [
    text(MARGIN, y + 12, "", label),
    `<rect class="bar${own ? " own" : ""}" x="${x}" y="${y}" width="${length(figure.us.median).toFixed(1)}" height="${BAR_HEIGHT}" rx="2"/>`,
    isCut
      ? `<path class="cut" d="M${x + BAR_SPACE - 30} ${y + BAR_HEIGHT + 1}l8 ${-BAR_HEIGHT - 2}h6l-8 ${BAR_HEIGHT + 2}z"/>`
      : `<line class="whisker" x1="${from}" x2="${to}" y1="${middle}" y2="${middle}"/>`,
    text(Number(to) + 8, y + 12, "value", `${formatNumber(figure.us.median)}${ratio}`),
  ].join("");
}

function text(x: number, y: number, style: string, content: string): string {
  return `<text x="${x}" y="${y}"${style === "" ? "" : ` class="${style}"`}>${escape(content)}</text>`;
}

function escape(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
