import { isLoopbackHost } from "./ip-address.ts";
import { parseUrl } from "./fields/network.ts";
import { PROFILES } from "./profiles.ts";
import type { ProfileName } from "./schema.ts";
import type { Path } from "./source/path.ts";
import { editTree, type Tree, treeAt, treeOf } from "./source/tree.ts";

/** A profile default that holds only in company of what the files say. */
interface Condition {
  readonly path: Path;
  readonly holds: (written: Tree) => boolean;
}

const CONDITIONS: readonly Condition[] = [
  // Defaults of TLS must not switch TLS on.
  { path: ["listen", "tls"], holds: (written) => treeAt(written, ["listen", "tls"])?.kind === "map" },
  // Who gives Weir a public name wants to be reached under it, also in the dev profile.
  { path: ["listen", "host"], holds: (written) => !namesOtherHost(treeAt(written, ["listen", "public_url"])) },
];

/** The layer of a profile's defaults, for what all higher layers together have `written`. */
export function profileLayer(profile: ProfileName, written: Tree): Tree {
  let layer = treeOf(PROFILES[profile].defaults, `profile ${profile}`);
  for (const { path, holds } of CONDITIONS) {
    if (!holds(written)) layer = editTree(layer, path, () => undefined);
  }
  return layer;
}

function namesOtherHost(publicUrl: Tree | undefined): boolean {
  if (publicUrl?.kind !== "scalar" || typeof publicUrl.value !== "string") return false;
  const url = parseUrl(publicUrl.value);
  // A `${VAR}` that is not expanded yet is no URL, and counts as a public name.
  return url === null || !isLoopbackHost(url.hostname);
}
