/** Where a setting stands in the configuration: map keys and list positions from the root down. */
export type Path = readonly (string | number)[];

/** Longer than any setting's name. A longer key is a name that somebody gave, or a secret in the wrong place. */
const MAX_KEY_LENGTH = 40;

/** Whether a key is so long that it may be a secret that slipped into the place of a key. */
export function mayBeSecretKey(key: string): boolean {
  return key.length > MAX_KEY_LENGTH;
}

/** A key as it may be shown. */
export function showableKey(key: string): string {
  return mayBeSecretKey(key) ? "(long key)" : key;
}

/** A path as people write it: `upstreams[0].auth.api_key`; a key that is no plain word is quoted: `teams["R & D"]`. */
export function formatPath(path: Path): string {
  let out = "";
  for (const step of path) {
    if (typeof step === "number") out += `[${step}]`;
    else if (!/^[A-Za-z_][\w-]*$/.test(step)) out += `[${JSON.stringify(showableKey(step))}]`;
    else out += out === "" ? showableKey(step) : `.${showableKey(step)}`;
  }
  return out;
}

/** Whether `path` is `ancestor` or lies below it. */
export function isWithin(path: Path, ancestor: Path): boolean {
  return ancestor.length <= path.length && ancestor.every((step, i) => step === path[i]);
}
