import type { Place } from "./source/place.ts";

/**
 * One thing that is wrong (or doubtful) in the configuration: what, where and how to mend it. Plain data, so it goes
 * into JSON as it is. No text in it ever carries the value of a secret.
 */
export interface Diagnostic extends Place {
  readonly severity: "error" | "warning";
  /** Stable name of the kind of problem, for example `unknown_key`. */
  readonly code: string;
  /** Path of the setting, for example `upstreams[0].auth.api_key`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly fix: string;
  /** The line of the file, with values hidden that are or may be secret; null when there is none to show. */
  readonly excerpt: string | null;
}

/** A diagnostic as people read it: position, message, the line with a caret, and the remedy. No trailing newline. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { severity, code, path, message, fix, excerpt, line, column } = diagnostic;
  const position = line === null ? diagnostic.origin : `${diagnostic.origin}:${line}:${column ?? 1}`;
  const lines = [`${severity}[${code}] ${position}${path === "" ? "" : `: ${path}`}`, `  ${message}`];
  if (excerpt !== null && line !== null) {
    const gutter = " ".repeat(String(line).length);
    const caretAt = Math.min((column ?? 1) - 1, excerpt.length);
    // Tabs of the excerpt are repeated so that the caret stands under its character.
    const indent = excerpt.slice(0, caretAt).replaceAll(/[^\t]/g, " ");
    lines.push(`  ${line} | ${excerpt}`, `  ${gutter} | ${indent}^`);
  }
  lines.push(`  fix: ${fix}`);
  return lines.join("\n");
}

/** Orders diagnostics as a reader meets them: errors first, then by file, line and column. */
export function compareDiagnostics(a: Diagnostic, b: Diagnostic): number {
  if (a.severity !== b.severity) return a.severity === "error" ? -1 : 1;
  const byFile = (a.file ?? "").localeCompare(b.file ?? "");
  if (byFile !== 0) return byFile;
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0) || a.path.localeCompare(b.path);
}
