import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** The cookie that binds a sign-in to the browser that began it. `__Host-`: no other host or path can set it (needs HTTPS). */
function cookieName(origin: string): string {
  return origin.startsWith("https:") ? "__Host-weir-browser" : "weir-browser";
}

const VALUE = /^[\w-]{43}$/;
const MAX_AGE_SECONDS = 600;

/** The browser's own mark; null where it has none. */
export function browserOf(request: IncomingMessage, origin: string): string | null {
  const name = `${cookieName(origin)}=`;
  const found = (request.headers.cookie ?? "").split(/; */).filter((pair) => pair.startsWith(name));
  const value = found[0]?.slice(name.length) ?? "";
  // Two of one name: somebody tries to plant one.
  return found.length === 1 && VALUE.test(value) ? value : null;
}

export function newBrowser(): string {
  return randomBytes(32).toString("base64url");
}

/** `Lax`, because the browser comes back from the provider by a link of another site. */
export function browserCookie(browser: string, origin: string): string {
  return cookieText(browser, MAX_AGE_SECONDS, origin);
}

export function removedCookie(origin: string): string {
  return cookieText("", 0, origin);
}

function cookieText(value: string, maxAge: number, origin: string): string {
  const secure = origin.startsWith("https:") ? "; Secure" : "";
  return `${cookieName(origin)}=${value}; Max-Age=${maxAge}; Path=/; HttpOnly; SameSite=Lax${secure}`;
}
