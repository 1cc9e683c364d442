import { existsSync } from "node:fs";
import path from "node:path";

import type { Finding } from "./finding.ts";
import { defaultUpstreamLayer, type Environment, environmentLayer, proxyLayer } from "./layers.ts";
import { profileLayer } from "./profile-layer.ts";
import { PROFILE_NAMES, type ProfileName } from "./schema.ts";
import { expandTree, type FileReading, fileReferencesOf } from "./source/expand.ts";
import type { SourceFile } from "./source/parse-source.ts";
import { readSource, readText } from "./source/read-source.ts";
import { mergeTrees, type Tree, treeAt, treeOf } from "./source/tree.ts";

/** What is read when no path is given. */
const DEFAULT_FILE = "weir.yaml";

export interface GatherOptions {
  readonly path?: string | undefined;
  readonly env: Environment;
  readonly cwd: string;
  readonly overlays?: readonly string[] | undefined;
  readonly overrides?: object | undefined;
  readonly profile?: string | undefined;
}

/** All layers of a configuration laid over each other, and where they came from. */
export interface Gathered {
  readonly profile: ProfileName;
  /** The main file; null when there is none. */
  readonly mainFile: string | null;
  /** Files read, lowest layer first. */
  readonly sources: readonly SourceFile[];
  /** Files whose change or appearance may change the configuration. */
  readonly dependencies: readonly string[];
  /** What files, environment and command line say, without any defaults; not expanded. */
  readonly written: Tree;
  /** Everything, with profile and environment defaults below; not expanded. */
  readonly layered: Tree;
}

/**
 * Reads all layers and merges them: environment defaults (proxies, the upstream) < profile < file < `<file>.<profile>` <
 * overlays < environment < command line. Built-in defaults are not among them: the schema fills those in.
 */
export async function gather(options: GatherOptions): Promise<Gathered> {
  const candidate = path.resolve(options.cwd, options.path ?? DEFAULT_FILE);
  const mainFile = options.path !== undefined || existsSync(candidate) ? candidate : null;
  const main = mainFile === null ? [] : [await readSource(mainFile)];
  const overlays = await Promise.all(
    (options.overlays ?? []).map((file) => readSource(path.resolve(options.cwd, file))),
  );

  const outer = [environmentLayer(options.env), commandLineLayer(options)];
  const profile = await chooseProfile([...treesOf([...main, ...overlays]), ...outer], options.env);
  const beside = mainFile === null ? null : profileFileOf(mainFile, profile);
  const profileOverlay = beside !== null && existsSync(beside) ? [await readSource(beside)] : [];

  const sources = [...main, ...profileOverlay, ...overlays];
  const written = [...treesOf(sources), ...outer].reduce(mergeTrees);
  const defaults = [
    proxyLayer(options.env, written),
    defaultUpstreamLayer(options.env, written),
    profileLayer(profile, written),
  ];
  const dependencies = new Set([candidate, ...(beside === null ? [] : [beside]), ...sources.map(({ file }) => file)]);
  return {
    profile,
    mainFile,
    sources,
    dependencies: [...dependencies],
    written,
    layered: [...defaults, written].reduce(mergeTrees),
  };
}

/** `/etc/weir.yaml` and `prod` make `/etc/weir.prod.yaml`. */
function profileFileOf(mainFile: string, profile: ProfileName): string {
  const { dir, name, ext } = path.parse(mainFile);
  return path.join(dir, `${name}.${profile}${ext}`);
}

function commandLineLayer({ overrides, profile }: GatherOptions): Tree {
  return treeOf(profile === undefined ? { ...overrides } : { ...overrides, profile }, "command line");
}

/** The profile that the highest layer names. A name that does not exist counts as none here; the schema refuses it. */
async function chooseProfile(layers: readonly Tree[], env: Environment): Promise<ProfileName> {
  const named = layers.flatMap((layer) => treeAt(layer, ["profile"]) ?? []).reduce(mergeTrees, treeOf(null, ""));
  const { tree } = await expandReferences(named, env);
  const name = tree.kind === "scalar" ? tree.value : null;
  return PROFILE_NAMES.find((known) => known === name) ?? "dev";
}

/** Expands `${VAR}` and `${file:…}`, reading the files that are referred to. */
export async function expandReferences(
  tree: Tree,
  env: Environment,
): Promise<{ tree: Tree; findings: Finding[]; files: string[] }> {
  const files = new Map<string, FileReading>();
  for (const file of fileReferencesOf(tree)) files.set(file, await readText(file));
  return { ...expandTree(tree, { env, files }), files: [...files.keys()] };
}

function treesOf(sources: readonly SourceFile[]): Tree[] {
  return sources.flatMap(({ tree }) => tree ?? []);
}
