/** What a run of vitest came to. */
export interface TestSummary {
  readonly passed: number;
  /** Failed tests, and files that failed as a whole. */
  readonly failed: number;
  readonly skipped: readonly SkippedTest[];
}

export interface SkippedTest {
  readonly file: string;
  readonly name: string;
  /** What the machine lacks, with the command that installs it: `nginx: apt-get install -y nginx`. Null: another reason. */
  readonly needs: string | null;
}

/** How `test/harness/requires.ts` writes what is missing into a title. */
const NEEDS = /\(needs ([^()]+(?:\([^()]*\)[^()]*)*)\)/;

/** Reads the document of vitest's JSON reporter. Throws when it is not one. `root` is left out of file names. */
export function readVitestReport(document: unknown, root: string): TestSummary {
  const summary = { passed: 0, failed: 0, skipped: [] as SkippedTest[] };
  for (const file of list(field(document, "testResults"))) {
    const tests = list(field(file, "assertionResults"));
    const name = relative(text(field(file, "name")), root);
    const skipped: SkippedTest[] = [];
    let failedHere = 0;
    for (const test of tests) {
      const status = text(field(test, "status"));
      if (status === "passed") summary.passed += 1;
      else if (status === "failed") failedHere += 1;
      else skipped.push(skippedTest(name, text(field(test, "fullName"))));
    }
    // A file that cannot be loaded, or whose hooks fail, has no failed test of its own; what it could not run has failed.
    const failedAsWhole = failedHere === 0 && text(field(file, "status")) === "failed";
    summary.failed += failedAsWhole ? Math.max(1, skipped.length) : failedHere;
    if (!failedAsWhole) summary.skipped.push(...skipped);
  }
  return summary;
}

/** What `npm test` prints last. */
export function summaryLine(summary: TestSummary): string {
  return `Tests: ${summary.passed} passed, ${summary.failed} failed, ${summary.skipped.length} skipped`;
}

/** The skipped tests by name, those of one reason together; empty when there are none. */
export function skippedLines(skipped: readonly SkippedTest[]): string[] {
  if (skipped.length === 0) return [];
  const lines = ["Skipped:"];
  for (const { file, name } of skipped) lines.push(`  ${file}: ${name}`);
  const needs = [...new Set(skipped.flatMap((test) => test.needs ?? []))];
  if (needs.length > 0) lines.push("To run them too:", ...needs.map((need) => `  ${need}`));
  return lines;
}

function skippedTest(file: string, name: string): SkippedTest {
  return { file, name, needs: NEEDS.exec(name)?.[1] ?? null };
}

function relative(file: string, root: string): string {
  return file.startsWith(`${root}/`) ? file.slice(root.length + 1) : file;
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) throw new Error(`the test report has no ${name}`);
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error("the test report is not complete");
  return value;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new Error("the test report is not complete");
  return value;
}
