import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { loadConfig, type LoadOptions, type LoadResult } from "../load.ts";

/** A directory of its own for one test, with configuration files in it. */
export class ConfigDirectory {
  readonly path: string;

  private constructor(directory: string) {
    this.path = directory;
  }

  static async create(files: Readonly<Record<string, string>> = {}): Promise<ConfigDirectory> {
    const directory = new ConfigDirectory(await mkdtemp(path.join(tmpdir(), "weir-config-")));
    for (const [name, text] of Object.entries(files)) await directory.write(name, text);
    return directory;
  }

  /** Absolute path of a file in the directory. */
  file(name: string): string {
    return path.join(this.path, name);
  }

  async write(name: string, text: string): Promise<string> {
    const file = this.file(name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
    return file;
  }

  /** Loads the configuration from here, with an empty environment unless one is given. */
  load(options: Partial<LoadOptions> = {}): Promise<LoadResult> {
    return loadConfig({ cwd: this.path, env: {}, ...options });
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }
}

/** Loads one text as `weir.yaml`, in a directory of its own that is gone afterwards. */
export async function loadText(text: string, options: Partial<LoadOptions> = {}): Promise<LoadResult> {
  await using directory = await ConfigDirectory.create({ "weir.yaml": text });
  return await directory.load(options);
}
