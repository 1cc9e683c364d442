import { createHmac } from "node:crypto";

const KEY = "stand-in reasoning";
const PREFIX = "gAAAAAB";

/** Encrypted reasoning of a stand-in: opaque, and recognisable when it comes back. */
export function sealReasoning(text: string): string {
  const payload = Buffer.from(text.slice(0, 64)).toString("base64url");
  return `${PREFIX}${payload}.${sealOf(payload)}`;
}

/** Whether encrypted reasoning is a stand-in's own, unchanged. */
export function isOwnReasoning(sealed: string): boolean {
  if (!sealed.startsWith(PREFIX)) return false;
  const [payload = "", seal = ""] = sealed.slice(PREFIX.length).split(".");
  return seal === sealOf(payload);
}

function sealOf(payload: string): string {
  return createHmac("sha256", KEY).update(payload).digest("base64url");
}
