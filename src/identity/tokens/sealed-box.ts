import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals short texts (AES-256-GCM) under keys derived from secrets, for one purpose: what was sealed for another does not open.
 * The first secret seals, all open. Each text has a nonce of 96 random bits, which is safe for 2^32 texts a secret.
 */
export class SealedBox {
  readonly #keys: readonly Buffer[];
  readonly #purpose: Buffer;

  constructor(secrets: readonly string[], purpose: string) {
    this.#keys = secrets.map((secret) => Buffer.from(hkdfSync("sha256", secret, "", `weir ${purpose}`, KEY_BYTES)));
    this.#purpose = Buffer.from(purpose);
  }

  seal(text: string): string {
    const [key] = this.#keys;
    if (key === undefined) throw new Error("there is no secret to seal with");
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES }).setAAD(this.#purpose);
    const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString("base64url");
  }

  /** The text; null when it was not sealed with one of these secrets for this purpose, or was changed. */
  open(sealed: string): string | null {
    const bytes = Buffer.from(sealed, "base64url");
    if (bytes.length < NONCE_BYTES + TAG_BYTES) return null;
    for (const key of this.#keys) {
      const opened = this.#openWith(key, bytes);
      if (opened !== null) return opened;
    }
    return null;
  }

  #openWith(key: Buffer, bytes: Buffer): string | null {
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES }).setAAD(this.#purpose);
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
      return Buffer.concat([text, decipher.final()]).toString("utf8");
    } catch {
      return null; // sealed otherwise, or changed
    }
  }
}
