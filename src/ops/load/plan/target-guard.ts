import { LoadError } from "../load-error.ts";

/** Caps when the user sets none: a runaway guard on this machine, a gentle one elsewhere. */
export const LOOPBACK_MAX_RATE = 50_000;
export const REMOTE_MAX_RATE = 50;

/** Whether the host names this machine's loopback, which alone may be loaded without a confirmation. */
export function isLoopback(url: URL): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/**
 * The Messages endpoint under a base URL as a user gives it. Throws LoadError unless it is http(s) without credentials,
 * and is on loopback or its host is the confirmed one: a load test against somebody else's system is an attack on it.
 */
export function checkTarget(url: string, confirmedHost: string | null): URL {
  const target = parseTarget(url);
  if (isLoopback(target) || confirmedHost === target.hostname || confirmedHost === target.host) return target;
  throw new LoadError(
    "refused",
    confirmedHost === null
      ? `${target.host} is not this machine, and a load test can take a service down or cost a lot of money`
      : `the confirmed target is ${confirmedHost}, but the URL names ${target.host}`,
    `If the endpoint is yours, or its owner agreed, name it: --confirm-target ${target.host}`,
  );
}

/** Adds the Messages path to a base URL; one that ends in `/messages` stands as it is. */
export function messagesUrl(base: string): string {
  const url = parseTarget(base);
  const path = url.pathname.replace(/\/+$/, "");
  if (path.endsWith("/messages")) url.pathname = path;
  else url.pathname = path.endsWith("/v1") ? `${path}/messages` : `${path}/v1/messages`;
  return url.href;
}

function parseTarget(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new LoadError(
      "usage",
      `--url: "${text.slice(0, 200)}" is not an http(s) address`,
      "Write for example --url http://127.0.0.1:8080",
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new LoadError(
      "usage",
      "--url: the address carries credentials",
      "Give the key by WEIR_KEY, ANTHROPIC_API_KEY or --key-file.",
    );
  }
  url.hash = "";
  return url;
}
