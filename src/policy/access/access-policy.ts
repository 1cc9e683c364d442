import { WeirError } from "../../core/weir-error.ts";
import { canonicalModel, matchesModel } from "../../message/models.ts";
import type { KeyRecord, KeyScopes } from "../../store/ports/directory.ts";
import { AddressList } from "../../core/address-list.ts";

/** Compiled address lists of keys; a record is replaced whole when the directory changes, so its scopes are the key. */
const compiledAddresses = new WeakMap<KeyScopes, AddressList>();

/** What is asked, as far as access depends on it. */
export interface AccessRequest {
  readonly endpoint: string;
  /** Null for endpoints without a model. */
  readonly model: string | null;
  /** Whose address is read only when the key's scopes name addresses. */
  readonly client: { readonly clientAddress: string };
}

/** Refuses what a key's scopes do not allow. Throws WeirError `weir:access:*`. Empty scopes allow everything. */
export function checkAccess(key: KeyRecord, request: AccessRequest): void {
  const { scopes } = key;
  if (scopes.addresses.length > 0 && !addressesOf(scopes).includes(request.client.clientAddress)) {
    throw new WeirError("weir:access:address", "This key may not be used from this address.");
  }
  if (scopes.endpoints.length > 0 && !scopes.endpoints.includes(request.endpoint)) {
    throw new WeirError(
      "weir:access:endpoint",
      `This key does not allow the endpoint ${request.endpoint}; it allows: ${scopes.endpoints.join(", ")}.`,
    );
  }
  if (request.model !== null && !allowsModel(scopes, request.model)) {
    throw new WeirError(
      "weir:access:model",
      `This key does not allow the model ${request.model}; it allows: ${scopes.models.join(", ")}.`,
    );
  }
}

/** Whether a key's scopes allow a model, under any spelling of its id. */
export function allowsModel(scopes: KeyScopes, model: string): boolean {
  if (scopes.models.length === 0) return true;
  const canonical = canonicalModel(model);
  return scopes.models.some(
    (pattern) => matchesModel(pattern, model) || (canonical !== null && matchesModel(pattern, canonical)),
  );
}

function addressesOf(scopes: KeyScopes): AddressList {
  const known = compiledAddresses.get(scopes);
  if (known !== undefined) return known;
  const list = new AddressList(scopes.addresses);
  compiledAddresses.set(scopes, list);
  return list;
}
