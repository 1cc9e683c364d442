import type { Identity } from "../../identity/key-ring.ts";
import type { OwnedObject, OwnedObjectStore } from "../../store/ports/owned-objects.ts";
import { notFound, type ObjectKind } from "./operation.ts";
import { stored } from "./store-failure.ts";

/** Whose an object is: the user's behind the key, or the key's own when it has no user; always within the organisation. */
export interface Owner {
  readonly organizationId: string;
  readonly keyId: string;
  readonly userId: string | null;
}

export function ownerOf({ principal }: Identity): Owner {
  const { organizationId, keyId, userId } = principal;
  return { organizationId, keyId, userId };
}

export function owns(owner: Owner, object: OwnedObject): boolean {
  if (object.organizationId !== owner.organizationId) return false;
  if (owner.userId !== null) return object.userId === owner.userId;
  return object.userId === null && object.keyId === owner.keyId;
}

/** The caller's own object. Throws WeirError: 404 when there is none or it is another's, 503 when nobody can tell now. */
export async function findOwned(
  objects: OwnedObjectStore,
  owner: Owner,
  { kind, id }: { readonly kind: ObjectKind; readonly id: string },
): Promise<OwnedObject> {
  const object = await stored("look up who owns this", () => objects.get(kind, id));
  if (object === null || !owns(owner, object)) throw notFound(kind, id);
  return object;
}
