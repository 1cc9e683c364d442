/** Why a person is not let in. The names stand in the audit trail. */
export type RefusalReason =
  | "email_missing"
  | "email_unverified"
  | "email_domain"
  | "groups"
  | "user_id_missing"
  | "authorized_party"
  | "user_revoked"
  | "idp_refused"
  | "idp_unavailable"
  | "organization";

/** The provider or Weir's own rules do not let this person in; the message is for the person. */
export class SignInRefused extends Error {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "SignInRefused";
    this.reason = reason;
  }
}
