import { createHash, timingSafeEqual } from "node:crypto";

import { WeirError } from "../../core/weir-error.ts";
import type { ControlCall } from "../../gateway/control-handler.ts";
import type { Administrator } from "../../ledger/budgets/spend-admin.ts";
import type { OrganizationRecord } from "../../store/ports/directory.ts";

/** A key of `admin.write_keys` or `admin.read_keys`. */
interface AdminKey {
  readonly id: string;
  readonly key: string;
  readonly organization?: string | undefined;
}

/** The `admin` section, as far as access goes. */
export interface AdminSettings {
  readonly write_keys: readonly AdminKey[];
  readonly read_keys: readonly AdminKey[];
  readonly admin_groups: readonly string[];
}

/** A person who signed in, as their bearer token says. */
export interface SignedInPerson {
  readonly organizationId: string;
  /** The identity provider's name for them. */
  readonly subject: string;
  readonly groups: readonly string[];
}

export interface AccessFacts {
  /** Null where there is no such section: then there is no such API. */
  readonly settings: AdminSettings | null;
  readonly organizations: readonly OrganizationRecord[];
  /** The person behind a token of sign-in; null for anything else. */
  readonly personOf: (token: string) => Promise<SignedInPerson | null>;
}

/** Who administers which organisation, and how far. */
export interface AdminAccess extends Administrator {
  readonly organizationId: string;
  readonly canWrite: boolean;
}

/**
 * Who is behind a call of the admin API: an admin key as `x-api-key`, else a person signed in who is in one of the admin
 * groups. Throws WeirError 404 where the API is not set up, and 401 for anything else, in the same words whatever is wrong.
 */
export async function adminAccess(call: ControlCall, facts: AccessFacts): Promise<AdminAccess> {
  const { settings } = facts;
  if (settings === null) {
    throw new WeirError(
      "weir:request:not_found",
      "The admin API is not set up: the configuration has no admin section.",
    );
  }
  const from = { address: call.clientAddress, requestId: call.requestId };
  const { "x-api-key": apiKey, authorization } = call.request.headers;
  if (typeof apiKey === "string" && apiKey !== "") {
    const canWrite = keyWithSecret(settings.write_keys, apiKey);
    const found = canWrite ?? keyWithSecret(settings.read_keys, apiKey);
    if (found === null) throw denied();
    const organizationId = organizationOf(found, facts.organizations);
    return { ...from, actor: `admin-key:${found.id}`, organizationId, canWrite: canWrite !== null };
  }
  const token = /^bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  const person = token === undefined ? null : await facts.personOf(token);
  if (person === null || !person.groups.some((group) => settings.admin_groups.includes(group))) throw denied();
  return { ...from, actor: `oidc:${person.subject}`, organizationId: person.organizationId, canWrite: true };
}

/**
 * The key with this secret, or null. Every key is compared, by hashes of one length and in constant time: how long it takes
 * says nothing of how much of a secret was right, nor of which.
 */
function keyWithSecret(keys: readonly AdminKey[], secret: string): AdminKey | null {
  const given = digest(secret);
  let found: AdminKey | null = null;
  for (const key of keys) if (timingSafeEqual(digest(key.key), given)) found = key;
  return found;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}

/** The organisation that a key administers: the one it names, or the only one. */
function organizationOf({ id, organization }: AdminKey, organizations: readonly OrganizationRecord[]): string {
  const active = organizations.filter(({ status }) => status === "active");
  const named = active.filter((record) => record.id === organization || record.name === organization);
  const [only, second] = organization === undefined ? active : named;
  if (only !== undefined && second === undefined) return only.id;
  const why =
    organization === undefined
      ? "there are several organizations, and it does not say which it administers"
      : "it names an organization that does not exist, or a name that several have";
  throw new WeirError(
    "weir:access:endpoint",
    `The admin key ${id} cannot be used: ${why}. The operator should set its organization in the configuration.`,
  );
}

function denied(): WeirError {
  return new WeirError("weir:auth:unknown_key", "missing or invalid admin credentials");
}
