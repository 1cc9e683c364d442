/** Who is asking: a key and what stands behind it. Ids are sortable; names are for people. */
export interface Principal {
  readonly organizationId: string;
  readonly teamId: string | null;
  readonly userId: string | null;
  readonly keyId: string;
  /** `prod`, `test`, `dev` or `ci`: the class of the key. */
  readonly keyClass: KeyClass;
  /** What metrics call `user_type`: `developer` for a user's key, `service` for a key without a user, `ci` for a ci key. */
  readonly userType: "developer" | "service" | "ci";
  readonly userName: string | null;
}

export type KeyClass = "prod" | "test" | "dev" | "ci";
export const KEY_CLASSES: readonly KeyClass[] = ["prod", "test", "dev", "ci"];
