import path from "node:path";

import { classOfSecret } from "../../identity/key-secret.ts";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { keyFilePath, readKeyFile } from "../keys/key-file.ts";

export interface FoundKey {
  readonly secret: string;
  /** Where it was found, for people. */
  readonly source: string;
}

/**
 * The developer's key: from `--key-file`, else WEIR_KEY, else the stored key. Rejects with CliError when there is none or it
 * is no key; the text never contains it.
 */
export async function weirKey(context: CliContext, keyFile: string | undefined): Promise<FoundKey> {
  if (keyFile !== undefined) {
    const file = path.resolve(context.cwd, keyFile);
    // Named on purpose: a mounted secret may well be readable by a group.
    const secret = await readKeyFile(file, { isPrivate: false });
    if (secret !== null) return { secret, source: file };
    throw new CliError("unavailable", `there is no key file ${file}`, {
      remedy: "Check the path given with --key-file.",
    });
  }
  const variable = (context.env["WEIR_KEY"] ?? "").trim();
  if (variable !== "") {
    if (classOfSecret(variable) !== null) return { secret: variable, source: "WEIR_KEY" };
    throw new CliError("unavailable", "WEIR_KEY does not hold a Weir key", {
      remedy: "It must be a whole key, beginning with wr-. Check it for missing or extra characters.",
    });
  }
  const stored = keyFilePath(context.env);
  const secret = await readKeyFile(stored, { isPrivate: true });
  if (secret !== null) return { secret, source: stored };
  throw new CliError("unavailable", `you have no Weir key: WEIR_KEY is not set and there is no ${stored}`, {
    remedy:
      "Where Weir runs: `weir keys create --name laptop --save`. Else ask your administrator for a key, and put it into WEIR_KEY or that file (chmod 600).",
  });
}
