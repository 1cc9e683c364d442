import { CONFIG_FIELDS } from "./config-fields.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { Finding } from "./finding.ts";
import type { Gathered } from "./gather.ts";
import { isShowable } from "./schema-walk.ts";
import { configSchema } from "./schema.ts";
import { excerptOf } from "./source/excerpt.ts";
import type { SourceFile, SourceProblem } from "./source/parse-source.ts";
import { formatPath } from "./source/path.ts";
import { type Place, placeOutsideFiles } from "./source/place.ts";
import { keyPlaceAt, placeOf, treeAt } from "./source/tree.ts";

/** Gives a finding its place, with an excerpt of the file. */
export function diagnosticOf(finding: Finding, gathered: Gathered): Diagnostic {
  const { severity, code, message, fix } = finding;
  const place = placeOfFinding(finding, gathered);
  const excerpt = excerptAt(place, gathered.sources);
  return { severity, code, ...place, path: formatPath(finding.path), message, fix, excerpt };
}

/** A problem with a file's text as a diagnostic. */
export function diagnosticOfProblem(problem: SourceProblem, sources: readonly SourceFile[]): Diagnostic {
  const { code, place, message, fix } = problem;
  return { severity: "error", code, ...place, path: "", message, fix, excerpt: excerptAt(place, sources) };
}

/** Where the value at `path` was written; for one that was not, where it would be written. */
function placeOfFinding({ path, atKey }: Finding, { written, layered, mainFile }: Gathered): Place {
  const place = atKey ? keyPlaceAt(written, path) : placeOf(written, path);
  if (place.file !== null || treeAt(written, path) !== undefined) return place;
  if (mainFile !== null) return { origin: mainFile, file: mainFile, line: 1, column: 1 };
  // Nothing was written at all: name the layer that the value comes from.
  return treeAt(layered, path) === undefined ? placeOutsideFiles("built-in default") : placeOf(layered, path);
}

function isSettingName(word: string): boolean {
  return CONFIG_FIELDS.some(({ path }) => path === word || path.endsWith(`.${word}`));
}

function excerptAt({ file, line }: Place, sources: readonly SourceFile[]): string | null {
  const source = sources.find((candidate) => candidate.file === file);
  if (source === undefined || line === null) return null;
  return excerptOf(source, line, { value: (path) => isShowable(configSchema, path), key: isSettingName });
}
