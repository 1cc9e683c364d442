import { type AuditAct, type AuditTrail, INSTALLATION } from "../core/audit-act.ts";
import type { Clock } from "../core/clock.ts";
import type { IdGenerator } from "../core/id.ts";
import { performAudited } from "../core/perform-audited.ts";
import { classOfSecret, hintOfSecret, newKeySecret, type KeyHasher } from "../identity/key-secret.ts";
import type { DirectoryStore, FirstRecords, KeyRecord } from "../store/ports/directory.ts";

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
  parts: { clock: Clock; ids: IdGenerator; hasher: KeyHasher; bootstrapKey: string | undefined; trail: AuditTrail },
): Promise<FirstRun | null> {
  const { clock, ids, hasher, bootstrapKey, trail } = parts;
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
  const act = firstRunAct({ organization, user, key });
  const isFirst = await performAudited(trail, act, () => directory.createFirst({ organization, user, key }));
  if (isFirst) return { secret };
  // Another process has begun meanwhile; its key is the one that was shown.
  await trail.record({ ...act, result: "refused", reason: "another process had done it already" });
  return null;
}

function firstRunAct({ organization, user, key }: FirstRecords): AuditAct {
  return {
    organizationId: INSTALLATION,
    actor: "system",
    action: "installation.first_run",
    object: `organization:${organization.id}`,
    before: null,
    after: {
      organization: { id: organization.id, name: organization.name },
      user: { id: user.id, name: user.name },
      key: { id: key.id, name: key.name, hint: key.hint, class: key.keyClass },
    },
    address: null,
    requestId: null,
    result: "done",
    reason: null,
  };
}
