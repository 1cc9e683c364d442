import { z } from "zod";

import { isCidr, isIpAddress, isLoopbackHost } from "../ip-address.ts";
import { checked, type Problem } from "./checked.ts";
import { fieldMarks } from "./mark.ts";

/** An address or a range of addresses. */
export function cidr(): z.ZodString {
  return checked(z.string(), (value) => {
    if (isCidr(value)) return null;
    return {
      message: "must be an IP address or a CIDR range",
      fix: "Write for example 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32.",
    };
  });
}

/** A host to listen on: an address or a name. */
export function bindHost(): z.ZodString {
  return checked(z.string().min(1), (value) => {
    if (isIpAddress(value) || /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(value)) return null;
    return { message: "must be an IP address or a host name", fix: "Write for example 127.0.0.1, 0.0.0.0 or ::." };
  });
}

/** The `https://host[:port]` under which clients reach Weir; `http://` only for this machine. */
export function publicOrigin(): z.ZodString {
  return checked(z.string(), (value) => {
    const url = parseUrl(value);
    const fix = "Write only scheme and host, for example https://weir.example.com.";
    if (url === null) return { message: "must be a URL", fix };
    if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopbackHost(url.hostname))) {
      return { message: "must begin with https://", fix };
    }
    if (hasMoreThanOrigin(url)) return { message: "must be an origin: no user, path, query or fragment", fix };
    return null;
  });
}

/** An origin that browsers send, or `*`. */
export function corsOrigin(): z.ZodString {
  return checked(z.string(), (value) => {
    if (value === "*") return null;
    const url = parseUrl(value);
    const isOrigin = url !== null && /^https?:$/.test(url.protocol) && !hasMoreThanOrigin(url) && !value.endsWith("/");
    if (isOrigin) return null;
    return { message: "must be an origin or *", fix: "Write scheme and host as browsers do: https://app.example.com." };
  });
}

/** Base URL of an upstream: `http(s)://host[:port][/path]`. */
export function baseUrl(): z.ZodString {
  return checked(z.string(), (value) => {
    const url = parseUrl(value);
    const fix = "Write for example https://api.anthropic.com.";
    if (url === null || !/^https?:$/.test(url.protocol)) return { message: "must be an http:// or https:// URL", fix };
    if (url.username !== "" || url.password !== "") {
      return { message: "must not contain a user or password", fix: "Put the credential under auth." };
    }
    if (url.search !== "" || url.hash !== "") return { message: "must not contain a query or fragment", fix };
    return null;
  }).register(fieldMarks, { secret: "url" });
}

/** URL of a forward proxy; may carry user and password. */
export function proxyUrl(): z.ZodString {
  return checked(z.string(), (value): Problem | null => {
    const url = parseUrl(value);
    if (url !== null && /^https?:$/.test(url.protocol)) return null;
    return {
      message: "must be the http:// or https:// URL of a proxy",
      fix: "Write for example http://proxy.example.com:3128.",
    };
  }).register(fieldMarks, { secret: "url" });
}

/** Reads a URL; null when the text is none. */
export function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

function hasMoreThanOrigin(url: URL): boolean {
  return url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== "";
}
