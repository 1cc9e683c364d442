import { classOfSecret, type KeyHasher } from "../../identity/key-secret.ts";
import type { DirectorySnapshot, KeyRecord } from "../../store/ports/directory.ts";
import { CliError } from "../cli-error.ts";
import { Names } from "../directory/names.ts";
import { notFound, quoted, type Sought } from "../directory/find-record.ts";
import { printable } from "../terminal/text-width.ts";
import { keyStatus, statusText } from "./key-status.ts";

const SOUGHT: Sought = { kind: "key", remedy: "`weir keys list --all` shows all keys." };

/**
 * The key that a person means by an id, a hint, a name, or the secret itself (as it is found where it leaked). Keys that
 * are revoked already count only when no other is meant. Throws CliError `not_found` or `ambiguous`; neither repeats a
 * secret.
 */
export function findKey(
  wanted: string,
  { snapshot, hasher, nowMs }: { snapshot: DirectorySnapshot; hasher: KeyHasher; nowMs: number },
): KeyRecord {
  const candidates = candidatesFor(wanted, snapshot.keys, hasher);
  const unrevoked = candidates.filter(({ revokedAtMs }) => revokedAtMs === null);
  const meant = unrevoked.length > 0 ? unrevoked : candidates;
  const [only, second] = meant;
  if (only === undefined) throw unknown(wanted, snapshot.keys);
  if (second !== undefined) throw ambiguous(wanted, meant, { names: new Names(snapshot), nowMs });
  return only;
}

function candidatesFor(wanted: string, keys: readonly KeyRecord[], hasher: KeyHasher): KeyRecord[] {
  if (classOfSecret(wanted) !== null) {
    const hmac = hasher.hmac(wanted);
    return keys.filter((key) => key.hmac === hmac);
  }
  const byId = keys.filter(({ id }) => id === wanted);
  if (byId.length > 0) return byId;
  // As `keys list` and the logs show it, perhaps with the ellipsis.
  const hint = wanted.replace(/(…|\.\.\.)$/, "");
  const byHint = keys.filter((key) => key.hint === hint);
  return byHint.length > 0 ? byHint : keys.filter(({ name }) => name === wanted);
}

function unknown(wanted: string, keys: readonly KeyRecord[]): CliError {
  if (classOfSecret(wanted) !== null) {
    return new CliError("not_found", "no key of this installation has that secret", {
      remedy: "Check that it was copied whole, and that this is the right installation.",
    });
  }
  return notFound(
    wanted,
    keys.map(({ name }) => name),
    SOUGHT,
  );
}

function ambiguous(wanted: string, keys: readonly KeyRecord[], about: { names: Names; nowMs: number }): CliError {
  const { names, nowMs } = about;
  const lines = keys.map((key) => {
    const user = names.user(key.userId)?.name ?? "no user";
    const status = statusText(keyStatus(key, names, nowMs), nowMs);
    return `  ${key.id}  ${key.hint}…  ${printable(key.name)}  (${printable(user)}, ${status})`;
  });
  return new CliError("ambiguous", `${quoted(wanted)} may be any of ${keys.length} keys:\n${lines.join("\n")}`, {
    remedy: "Give the id of the one that you mean.",
    details: { candidates: keys.map(({ id, hint, name }) => ({ id, hint, name })) },
  });
}
