import type { ScalarSpan, SourceFile } from "./parse-source.ts";
import { mayBeSecretKey, type Path } from "./path.ts";

/** What stands in an excerpt in the place of a value that is or may be secret. */
const HIDDEN = "[hidden]";

/** Long lines are cut, so that a caret stays in sight. */
const MAX_LENGTH = 160;

/** What may be shown of a file. */
export interface Showable {
  /** Whether the value at a path may be. */
  readonly value: (path: Path) => boolean;
  /** Whether a word is the name of a setting. In a file that is not valid YAML, other words may be parts of secrets. */
  readonly key: (word: string) => boolean;
}

/**
 * Line `line` (from 1) of a file as it may be shown: comments are left out, and from the first value on that may not be
 * shown, the line is hidden. A value that consists of one `${…}` is always shown, because it is no secret itself.
 * A file that is not valid YAML has no known values: there, nothing but the name of a setting is shown.
 */
export function excerptOf(source: SourceFile, line: number, showable: Showable): string | null {
  const start = offsetOfLine(source.text, line);
  if (start === null) return null;
  const newline = source.text.indexOf("\n", start);
  const end = newline === -1 ? source.text.length : newline;
  const text = source.text.slice(start, end).replace(/\r$/, "");
  if (source.tree === null) return hideAfterKey(text, showable);

  const onLine = source.scalars.filter((scalar) => scalar.start < end && scalar.end > start);
  const secrets = onLine.filter((scalar) => isSecret(scalar, showable));
  const hiddenFrom = Math.min(...secrets.map((scalar) => Math.max(scalar.start, start) - start));
  if (Number.isFinite(hiddenFrom)) return text.slice(0, hiddenFrom) + HIDDEN;
  const afterValues = Math.max(0, ...onLine.map((scalar) => scalar.end - start));
  const comment = / *(^|\s)#/.exec(text.slice(afterValues));
  const shown = comment === null ? text : text.slice(0, afterValues + comment.index);
  return shown.length > MAX_LENGTH ? `${shown.slice(0, MAX_LENGTH)}…` : shown;
}

function isSecret(scalar: ScalarSpan, showable: Showable): boolean {
  if (scalar.isKey) return mayBeSecretKey(scalar.text);
  return !isReference(scalar.text) && !showable.value(scalar.path);
}

function hideAfterKey(text: string, showable: Showable): string {
  const [, indent = "", key = "", value] = /^(\s*(?:- +)*)([\w-]+)\s*:(\s*\S)?/.exec(text) ?? [];
  if (!showable.key(key)) return HIDDEN;
  return `${indent}${key}:${value === undefined ? "" : ` ${HIDDEN}`}`;
}

function isReference(text: string): boolean {
  return /^\$\{[^}]*\}$/.test(text);
}

function offsetOfLine(text: string, line: number): number | null {
  let offset = 0;
  for (let passed = 1; passed < line; passed++) {
    const newline = text.indexOf("\n", offset);
    if (newline === -1) return null;
    offset = newline + 1;
  }
  return offset;
}
