import path from "node:path";

import { type Clock, systemClock } from "../core/clock.ts";
import { deepFreeze } from "./deep-freeze.ts";
import { compareDiagnostics, type Diagnostic } from "./diagnostic.ts";
import type { Finding } from "./finding.ts";
import { expandReferences, gather, type Gathered, type GatherOptions } from "./gather.ts";
import { diagnosticOf, diagnosticOfProblem } from "./locate.ts";
import { editMarkedValues, markedValuesOf } from "./marked-values.ts";
import { PROFILES } from "./profiles.ts";
import { applyRules } from "./rules/all-rules.ts";
import type { Config } from "./schema.ts";
import { formatPath, isWithin, type Path } from "./source/path.ts";
import { placeOf, scalarsOf, type Tree, treeAt } from "./source/tree.ts";
import { checkTlsFiles } from "./tls-files.ts";
import { parseWithout, validateTree } from "./validate.ts";

/**
 * Where a configuration comes from. `path`: the main file (default: `weir.yaml` in `cwd`, where there is one).
 * `overlays`: further files, each above the one before. `overrides`: settings from the command line, above everything.
 * `profile`: the same for the profile. `clock`: for judging certificates.
 */
export interface LoadOptions extends GatherOptions {
  readonly clock?: Clock;
}

export interface LoadSuccess {
  readonly ok: true;
  readonly config: Config;
  /** The main file; null when there is none. */
  readonly mainFile: string | null;
  /** Configuration files read, lowest layer first. */
  readonly files: readonly string[];
  /** Those of them in which nothing at all is written. */
  readonly blankFiles: readonly string[];
  /** Every file whose change may change the configuration: also secrets, certificates, and overlays not there yet. */
  readonly dependencies: readonly string[];
  readonly warnings: readonly Diagnostic[];
  /** For each setting that is not a built-in default, by path: who says it, for example `/etc/weir.yaml:4`. */
  readonly origins: ReadonlyMap<string, string>;
}

interface LoadFailure {
  readonly ok: false;
  /** All that is wrong, errors first. */
  readonly diagnostics: readonly Diagnostic[];
  readonly files: readonly string[];
  readonly dependencies: readonly string[];
}

export type LoadResult = LoadSuccess | LoadFailure;

/**
 * Reads, merges, expands and checks a configuration. Never throws for what the user can mend: everything that is wrong,
 * not only the first thing, comes back as diagnostics.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadResult> {
  const gathered = await gather(options);
  const files = gathered.sources.map(({ file }) => file);
  const problems = gathered.sources.flatMap((source) => source.problems);
  if (problems.length > 0) {
    const diagnostics = problems.map((problem) => diagnosticOfProblem(problem, gathered.sources));
    return { ok: false, diagnostics: diagnostics.sort(compareDiagnostics), files, dependencies: gathered.dependencies };
  }

  const expanded = await expandReferences(gathered.layered, options.env);
  const verdict = judgeTree(expanded.tree, expanded.findings, gathered);
  const config = verdict.config === null ? null : withAbsolutePaths(verdict.config, gathered, options.cwd);
  const nowMs = (options.clock ?? systemClock).nowMs();
  const tlsFindings = config === null ? [] : await checkTlsFiles(config, PROFILES[gathered.profile], nowMs);

  const findings = [...verdict.findings, ...withoutThoseOn(verdict.bad, tlsFindings)];
  const diagnostics = findings.map((finding) => diagnosticOf(finding, gathered)).sort(compareDiagnostics);
  const dependencies = dependenciesOf(gathered, expanded.files, config);
  if (config === null || findings.some(({ severity }) => severity === "error")) {
    return { ok: false, diagnostics, files, dependencies };
  }
  const { mainFile } = gathered;
  const origins = originsOf(gathered.layered);
  const blankFiles = gathered.sources.filter(({ text }) => text.trim() === "").map(({ file }) => file);
  return {
    ok: true,
    config: deepFreeze(config),
    mainFile,
    files,
    blankFiles,
    dependencies,
    warnings: diagnostics,
    origins,
  };
}

interface Verdict {
  /** Null when not even the sound parts make a configuration. Complete only if no finding is an error. */
  readonly config: Config | null;
  readonly findings: readonly Finding[];
  /** Settings already found bad by schema, expansion or for not being built. */
  readonly bad: readonly Path[];
}

/** Everything that can be said of a tree without looking into further files. */
function judgeTree(tree: Tree, unexpanded: readonly Finding[], gathered: Gathered): Verdict {
  const condemned = unexpanded.map(({ path: at }) => at);
  const validation = validateTree(tree);
  const unfit = validation.findings.filter(({ path: at }) => !condemned.some((bad) => isWithin(at, bad)));
  const errors = [...unexpanded, ...profileConflict(tree, gathered), ...unfit];
  const bad = errors.map((finding) => finding.path);

  const parsed = errors.length === 0 ? validation.value : parseWithout(tree, bad);
  if (parsed?.upstreams === undefined) return { config: null, findings: errors, bad };
  const config: Config = { ...parsed, upstreams: parsed.upstreams };
  const isLiteralInFile = (at: Path): boolean => {
    const part = treeAt(tree, at);
    return part?.kind === "scalar" && part.place.file !== null && part.references.length === 0;
  };
  const ruled = applyRules({ config, profile: PROFILES[gathered.profile], isLiteralInFile });
  return { config, findings: [...errors, ...withoutThoseOn(bad, ruled)], bad };
}

/** Leaves out findings about settings that are already known to be bad, or that rest on such. */
function withoutThoseOn(bad: readonly Path[], findings: readonly Finding[]): Finding[] {
  const isBad = (at: Path) => bad.some((known) => isWithin(at, known) || isWithin(known, at));
  return findings.filter(({ path: at, because }) => !isBad(at) && !(because ?? []).some(isBad));
}

/** A profile's own overlay cannot name another profile: which one's defaults would hold? */
function profileConflict(tree: Tree, { profile }: Gathered): Finding[] {
  const named = treeAt(tree, ["profile"]);
  if (named?.kind !== "scalar" || named.value === profile || !Object.hasOwn(PROFILES, String(named.value))) return [];
  return [
    {
      severity: "error",
      code: "profile_conflict",
      path: ["profile"],
      message: `this overlay belongs to the ${profile} profile, but names another`,
      fix: "Remove profile from the overlay.",
    },
  ];
}

/** Makes relative paths absolute: from the file that says them, else from the main file, else from `cwd`. */
function withAbsolutePaths(config: Config, { written, mainFile }: Gathered, cwd: string): Config {
  return editMarkedValues(config, ({ path: at, value, mark }) => {
    if (mark.filePath === undefined) return value;
    const isWritten = treeAt(written, at) !== undefined;
    const file = isWritten ? placeOf(written, at).file : mainFile;
    return path.resolve(file === null ? cwd : path.dirname(file), value);
  });
}

function dependenciesOf(gathered: Gathered, secretFiles: readonly string[], config: Config | null): string[] {
  const named = markedValuesOf(config).filter(
    ({ path: at, mark }) => mark.filePath && !mark.rereadInUse && at[0] !== "data_dir",
  );
  return [...new Set([...gathered.dependencies, ...secretFiles, ...named.map(({ value }) => value)])];
}

function originsOf(tree: Tree): Map<string, string> {
  const origins = new Map<string, string>();
  for (const { path: at, scalar } of scalarsOf(tree)) {
    const { origin, line } = scalar.place;
    origins.set(formatPath(at), line === null ? origin : `${origin}:${line}`);
  }
  return origins;
}
