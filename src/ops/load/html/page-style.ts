/**
 * The page's whole style. Light and dark are equals and printing is always light; one accent colour, others only for state;
 * four sizes of type; lengths in steps of eight pixels. No font, image or script comes from elsewhere.
 */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #f7f8f8; --surface: #ffffff; --ink: #17202a; --muted: #56616e; --line: #e1e5e9; --grid: #edf0f2;
  --accent: #0f5068; --accent-mid: #2a7f9e; --accent-light: #579ab2; --accent-fill: #579ab2; --ghost: #7d8792;
  --bad: #b3261e; --bad-fill: #d9534a; --warn: #8a5a00; --warn-wash: #fdf5e2; --good: #1b7348;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0e1318; --surface: #151b21; --ink: #e7ecf1; --muted: #97a3b0; --line: #29323b; --grid: #20282f;
    --accent: #8fd6ec; --accent-mid: #55aac5; --accent-light: #3f869e; --accent-fill: #37829b; --ghost: #7d8894;
    --bad: #f2857c; --bad-fill: #d8584e; --warn: #e5b567; --warn-wash: #2a2313; --good: #6fcf9b;
  }
}
@media print {
  :root {
    color-scheme: light;
    --paper: #ffffff; --surface: #ffffff; --ink: #000000; --muted: #444c55; --line: #c9cfd5; --grid: #e6e9ec;
    --accent: #0f5068; --accent-mid: #2a7f9e; --accent-light: #579ab2; --accent-fill: #579ab2; --ghost: #6f7883;
    --bad: #b3261e; --bad-fill: #d9534a; --warn: #8a5a00; --warn-wash: #ffffff; --good: #1b7348;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
  font-variant-numeric: tabular-nums; -webkit-print-color-adjust: exact; print-color-adjust: exact;
}
main { max-width: 1200px; margin: 0 auto; padding: 32px 32px 48px; }
header { display: flex; flex-wrap: wrap; gap: 8px 24px; align-items: baseline; justify-content: space-between; }
h1 { margin: 0; font-size: 22px; line-height: 1.25; font-weight: 600; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { margin: 0; font-size: 14px; font-weight: 600; }
p { margin: 0; }
.muted, figcaption span, .unit { color: var(--muted); }
header p { flex-basis: 100%; color: var(--muted); overflow-wrap: anywhere; }
.state { font-size: 14px; font-weight: 600; white-space: nowrap; }
.state::before { content: ""; display: inline-block; width: 8px; height: 8px; margin-right: 8px; border-radius: 50%; background: currentColor; }
.state.good { color: var(--good); } .state.bad { color: var(--bad); } .state.warn { color: var(--warn); }
.tiles { display: grid; grid-template-columns: repeat(6, 1fr); margin: 24px 0 0; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; }
.tiles > div { padding: 16px 16px 14px; border-left: 1px solid var(--line); min-width: 0; }
.tiles > div:first-child { border-left: 0; }
.tiles dt { color: var(--muted); font-size: 12px; white-space: nowrap; }
.tiles dd { margin: 2px 0 0; font-size: 22px; line-height: 1.25; font-weight: 600; letter-spacing: -0.01em; white-space: nowrap; }
.tiles dd small { display: block; margin-top: 2px; font-size: 12px; font-weight: 400; letter-spacing: 0; color: var(--muted); white-space: normal; }
.tiles dd .unit { font-size: 14px; font-weight: 400; letter-spacing: 0; }
.is-bad { color: var(--bad); } .is-good { color: var(--good); }
.warnings { margin: 16px 0 0; padding: 12px 16px 12px 32px; background: var(--warn-wash); border: 1px solid var(--line); border-radius: 8px; color: var(--warn); }
.charts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; margin: 16px 0 0; }
figure, section { margin: 0; padding: 16px; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; break-inside: avoid; min-width: 0; }
section { margin-top: 16px; }
figcaption { display: flex; flex-wrap: wrap; gap: 0 8px; align-items: baseline; justify-content: space-between; }
figcaption span { font-size: 12px; }
svg { display: block; width: 100%; height: auto; margin-top: 8px; overflow: visible; }
svg text { font-size: 11px; fill: var(--muted); }
svg .end { font-weight: 600; }
.grid { stroke: var(--grid); } .mark { stroke: var(--ghost); stroke-dasharray: 2 3; }
.line { fill: none; stroke-width: 1.75; stroke-linejoin: round; stroke-linecap: round; }
.line.p50 { stroke: var(--accent); stroke-width: 2.25; } .line.p95 { stroke: var(--accent-mid); } .line.p99 { stroke: var(--accent-light); stroke-width: 1.25; } .line.failing { stroke: var(--bad); }
.end.before { fill: var(--muted); font-weight: 400; } .end.p50 { fill: var(--accent); } .end.failing { fill: var(--bad); }
.ghost { fill: none; stroke: var(--ghost); stroke-width: 1.25; stroke-dasharray: 4 3; }
.ghost.over { stroke: var(--ink); stroke-opacity: 0.7; }
rect.good { fill: var(--accent-fill); } rect.bad { fill: var(--bad-fill); }
.hover { fill: transparent; } .hover:hover { fill: var(--ink); fill-opacity: 0.05; }
.scroll { overflow-x: auto; margin-top: 8px; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 6px 16px 6px 0; text-align: right; vertical-align: baseline; border-top: 1px solid var(--line); white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
thead th { border-top: 0; padding-top: 0; color: var(--muted); font-size: 12px; font-weight: 400; }
tbody th { font-weight: 400; }
th.left, td.left, tbody th { text-align: left; }
td.wrap { white-space: normal; overflow-wrap: anywhere; min-width: 240px; }
.facts { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 0 32px; margin: 8px 0 0; }
.facts > div { display: flex; gap: 16px; justify-content: space-between; padding: 6px 0; border-top: 1px solid var(--line); min-width: 0; }
.facts dt { color: var(--muted); white-space: nowrap; }
.facts dd { margin: 0; text-align: right; overflow-wrap: anywhere; min-width: 0; }
details { margin-top: 16px; } summary { cursor: pointer; font-weight: 600; } summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 4px; border-radius: 2px; }
footer { margin-top: 24px; color: var(--muted); font-size: 12px; }
@media (max-width: 960px) { .tiles { grid-template-columns: repeat(3, 1fr); } .tiles > div:nth-child(4) { border-left: 0; } .tiles > div:nth-child(n + 4) { border-top: 1px solid var(--line); } .facts { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
@media (max-width: 720px) { main { padding: 16px; } .charts, .facts { grid-template-columns: minmax(0, 1fr); } .tiles { grid-template-columns: repeat(2, 1fr); } .tiles > div, .tiles > div:nth-child(4) { border-left: 1px solid var(--line); border-top: 1px solid var(--line); } .tiles > div:nth-child(odd) { border-left: 0; } .tiles > div:nth-child(-n + 2) { border-top: 0; } }
@media print { @page { size: A4; margin: 12mm; } main { max-width: none; padding: 0; } body { font-size: 11px; } .tiles { grid-template-columns: repeat(6, 1fr); } .tiles > div { border-left: 1px solid var(--line) !important; border-top: 0 !important; padding: 8px; } .tiles > div:first-child { border-left: 0 !important; } .tiles dd, h1 { font-size: 14px; } h2, .state { font-size: 11px; } .tiles dt, .tiles dd small, .tiles dd .unit, figcaption span, thead th, footer { font-size: 9px; } th, td, .facts > div { padding-top: 3px; padding-bottom: 3px; } .charts { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 8px; } figure, section { padding: 8px; } .facts { grid-template-columns: repeat(3, minmax(0, 1fr)); } details { display: none; } }
`;
