/** One thing that a reviewer would check. */
export interface CheckStep {
  readonly name: string;
  /** What it looks for, for `--help`. */
  readonly looksFor: string;
  /** Program and arguments, run in the root of the project with node_modules/.bin on the PATH. */
  readonly command: readonly [string, ...string[]];
}

/** Everything that `npm run check` checks. The longest stand first, so that two cores end at about the same time. */
export const CHECK_STEPS: readonly CheckStep[] = [
  {
    name: "lint",
    looksFor: "suspicious code, floating promises, import cycles (oxlint)",
    command: ["oxlint", "--type-aware"],
  },
  { name: "types", looksFor: "type errors (tsc)", command: ["tsc", "--noEmit"] },
  {
    name: "layers",
    looksFor: "imports against the layer table of test/architecture/layer-table.ts, barrels, over-long files",
    command: ["vitest", "run", "test/architecture"],
  },
  { name: "dead code", looksFor: "files, exports and dependencies that nothing uses (knip)", command: ["knip"] },
  {
    name: "generated",
    looksFor: "generated files and sections that are stale",
    command: ["node", "scripts/generate.ts", "--check"],
  },
  { name: "format", looksFor: "files that oxfmt would change", command: ["oxfmt", "--check", "."] },
];
