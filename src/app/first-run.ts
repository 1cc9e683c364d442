import type { Clock } from "../core/clock.ts";
import type { IdGenerator } from "../core/id.ts";
import { classOfSecret, hintOfSecret, newKeySecret, type KeyHasher } from "../identity/key-secret.ts";
import type { DirectoryStore, KeyRecord } from "../store/ports/directory.ts";

export interface FirstRun {
  /** The first key's secret; shown once, stored nowhere. */
  readonly secret: string;
}

/**
 * Creates a first organisation, administrator and key in an empty directory; null when it is not empty. `bootstrapKey` is a
 * secret chosen by the operator (an installation made by machines); it must have the form of a Weir key.
 */
export async function firstRun(
  directory: DirectoryStore,
  parts: { clock: Clock; ids: IdGenerator; hasher: KeyHasher; bootstrapKey: string | undefined },
): Promise<FirstRun | null> {
  const { clock, ids, hasher, bootstrapKey } = parts;
  if ((await directory.load()).organizations.length > 0) return null;
  const secret = bootstrapKey ?? newKeySecret("dev");
  const keyClass = classOfSecret(secret);
  if (keyClass === null) {
    throw new Error(
      "WEIR_BOOTSTRAP_KEY does not look like a Weir key: wr-, then prod, test, dev or ci, a dash, and at least 43 characters of base64url",
    );
  }
  const organizationId = ids.next("org");
  const userId = ids.next("usr");
  const organization = { id: organizationId, name: "default", status: "active", timeZone: "UTC" } as const;
  const user = { id: userId, organizationId, teamId: null, name: "admin", email: null, status: "active" } as const;
  const key: KeyRecord = {
    id: ids.next("key"),
    organizationId,
    teamId: null,
    userId,
    name: "first key",
    keyClass,
    hmac: hasher.hmac(secret),
    hint: hintOfSecret(secret),
    scopes: { models: [], endpoints: [], addresses: [] },
    limits: { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null },
    createdAtMs: clock.nowMs(),
    expiresAtMs: null,
    revokedAtMs: null,
    replacesKeyId: null,
  };
  // Another process may have begun meanwhile; its key is then the one that was shown.
  return (await directory.createFirst({ organization, user, key })) ? { secret } : null;
}
