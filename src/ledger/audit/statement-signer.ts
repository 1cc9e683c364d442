import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from "node:crypto";

import type { AuditStatement, ChainTip } from "../../store/ports/audit.ts";
import { canonicalJson } from "./canonical-json.ts";

type Unsigned = Omit<AuditStatement, "keyId" | "signature">;

/** Signs statements about chains with one Ed25519 key. */
export class StatementSigner {
  readonly publicKey: KeyObject;
  readonly keyId: string;
  readonly #privateKey: KeyObject;

  /** `pem` is a PKCS #8 private key. Throws when it is none, or not Ed25519. */
  constructor(pem: string) {
    this.#privateKey = createPrivateKey(pem);
    if (this.#privateKey.asymmetricKeyType !== "ed25519") {
      throw new Error(`the audit signing key is of type ${this.#privateKey.asymmetricKeyType}, not ed25519`);
    }
    this.publicKey = createPublicKey(this.#privateKey);
    this.keyId = keyIdOf(this.publicKey);
  }

  head(tip: ChainTip, atMs: number): AuditStatement {
    return this.#sign({ ...tipOf(tip), kind: "head", atMs, removed: null });
  }

  start(tip: ChainTip, atMs: number): AuditStatement {
    return this.#sign({ ...tipOf(tip), kind: "start", atMs, removed: null });
  }

  end(tip: ChainTip, atMs: number): AuditStatement {
    return this.#sign({ ...tipOf(tip), kind: "end", atMs, removed: null });
  }

  checkpoint(tip: ChainTip, atMs: number, removed: number): AuditStatement {
    return this.#sign({ ...tipOf(tip), kind: "checkpoint", atMs, removed });
  }

  #sign(statement: Unsigned): AuditStatement {
    const { keyId } = this;
    const signature = sign(null, signedBytes({ ...statement, keyId }), this.#privateKey).toString("hex");
    return { ...statement, keyId, signature };
  }
}

/** The public keys whose statements are believed, by their ids. */
export class TrustedKeys {
  readonly #keys: ReadonlyMap<string, KeyObject>;

  /** `pems` are SPKI public keys. Throws when one is none, or not Ed25519. */
  constructor(pems: readonly (string | KeyObject)[]) {
    this.#keys = new Map(
      pems.map((pem) => {
        const key = typeof pem === "string" ? createPublicKey(pem) : pem;
        if (key.asymmetricKeyType !== "ed25519") throw new Error(`the public key is not an Ed25519 key`);
        return [keyIdOf(key), key];
      }),
    );
  }

  /** Null when the signature is right, else what is wrong with it. */
  faultOf(statement: AuditStatement): "unknown_key" | "bad_signature" | null {
    const key = this.#keys.get(statement.keyId);
    if (key === undefined) return "unknown_key";
    const signature = Buffer.from(statement.signature, "hex");
    return verify(null, signedBytes(statement), key, signature) ? null : "bad_signature";
  }
}

export function publicKeyPem(key: KeyObject): string {
  return key.export({ type: "spki", format: "pem" });
}

/** The first 16 hex digits of SHA-256 over the key's SPKI form. */
function keyIdOf(key: KeyObject): string {
  return hash("sha256", key.export({ type: "spki", format: "der" }), "hex").slice(0, 16);
}

/** Canonical JSON in UTF-8, with a name of its own so that no signature means anything else. */
function signedBytes(statement: Omit<AuditStatement, "signature">): Buffer {
  const text = canonicalJson({
    v: 1,
    statement: `weir.audit.${statement.kind}`,
    organization_id: statement.organizationId,
    class: statement.retentionClass,
    seq: statement.seq,
    hash: statement.hash,
    at_ms: statement.atMs,
    removed: statement.removed,
    key_id: statement.keyId,
  });
  return Buffer.from(text, "utf8");
}

function tipOf({ organizationId, retentionClass, seq, hash: rowHash }: ChainTip): ChainTip {
  return { organizationId, retentionClass, seq, hash: rowHash };
}
