import type { Selectable } from "kysely";

import type { DeviceGrant, GrantApproval, RefreshTokenRecord, SessionRecord } from "../ports/sign-in.ts";
import type { Database } from "./schema.ts";

export type GrantRow = Selectable<Database["device_grants"]>;
type SessionRow = Selectable<Database["sign_in_sessions"]>;
type TokenRow = Selectable<Database["refresh_tokens"]>;

export function grantFromRow(row: GrantRow): DeviceGrant {
  return {
    deviceHmac: row.device_hmac,
    userHmac: row.user_hmac,
    createdAtMs: row.created_at.getTime(),
    expiresAtMs: row.expires_at.getTime(),
    address: row.address,
  };
}

/** What `approveGrant` stored, as JSON gives it back. */
export function approvalFromRow(row: GrantRow): GrantApproval | null {
  // Written by this adapter alone, from the same type.
  return row.approval as GrantApproval | null;
}

export function sessionFromRow(row: SessionRow): SessionRecord {
  return {
    id: row.id,
    organizationId: row.organization_id,
    userId: row.user_id,
    issuer: row.issuer,
    subject: row.subject,
    email: row.email,
    groups: row.groups,
    role: row.role,
    createdAtMs: row.created_at.getTime(),
    expiresAtMs: row.expires_at.getTime(),
    revokedAtMs: row.revoked_at?.getTime() ?? null,
  };
}

export function sessionToRow(session: SessionRecord): SessionRow {
  return {
    id: session.id,
    organization_id: session.organizationId,
    user_id: session.userId,
    issuer: session.issuer,
    subject: session.subject,
    email: session.email,
    groups: [...session.groups],
    role: session.role,
    created_at: new Date(session.createdAtMs),
    expires_at: new Date(session.expiresAtMs),
    revoked_at: session.revokedAtMs === null ? null : new Date(session.revokedAtMs),
  };
}

export function tokenFromRow(row: TokenRow): RefreshTokenRecord {
  return {
    hmac: row.hmac,
    sessionId: row.session_id,
    issuedAtMs: row.issued_at.getTime(),
    sealedIdpRefresh: row.sealed_idp_refresh,
    rotatedAtMs: row.rotated_at?.getTime() ?? null,
    sealedSuccessor: row.sealed_successor,
  };
}

export function tokenToRow(token: RefreshTokenRecord): Omit<TokenRow, "claimed_until"> {
  return {
    hmac: token.hmac,
    session_id: token.sessionId,
    issued_at: new Date(token.issuedAtMs),
    sealed_idp_refresh: token.sealedIdpRefresh,
    rotated_at: token.rotatedAtMs === null ? null : new Date(token.rotatedAtMs),
    sealed_successor: token.sealedSuccessor,
  };
}
