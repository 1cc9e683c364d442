import { randomBytes, randomInt } from "node:crypto";

/** Without vowels no word comes about, without look-alikes no mistake (RFC 8628, 6.1). 20 letters. */
const LETTERS = "BCDFGHJKLMNPQRSTVWXZ";
const CODE_LETTERS = 8;
const SHAPE = new RegExp(`^[${LETTERS}]{${CODE_LETTERS}}$`);
const DEVICE_CODE_BYTES = 32;

/** The code that a person types: `WDJB-MJHT`, 34.5 bits. */
export function newUserCode(): string {
  const letters = Array.from({ length: CODE_LETTERS }, () => LETTERS[randomInt(LETTERS.length)]).join("");
  return formattedUserCode(letters);
}

/** What a person typed as the letters that count, however written; null when it cannot be a code. */
export function normalizedUserCode(typed: string): string | null {
  const letters = typed.toUpperCase().replaceAll(/[\s\-_.–—]/gu, "");
  return SHAPE.test(letters) ? letters : null;
}

/** As it is shown. */
export function formattedUserCode(letters: string): string {
  return `${letters.slice(0, CODE_LETTERS / 2)}-${letters.slice(CODE_LETTERS / 2)}`;
}

/** The code that the device keeps: 256 random bits. */
export function newDeviceCode(): string {
  return randomBytes(DEVICE_CODE_BYTES).toString("base64url");
}
