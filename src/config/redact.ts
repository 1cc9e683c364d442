import { parseUrl } from "./fields/network.ts";
import { editMarkedValues } from "./marked-values.ts";

/** What stands in the place of a secret. */
const REDACTED = "[redacted]";

/**
 * A copy of a configuration that may be shown and logged: secrets are replaced by `[redacted]`; of URLs, the user, the
 * password and the query.
 */
export function redactConfig<T>(config: T): T {
  return editMarkedValues(config, ({ value, mark }) => {
    if (mark.secret === "whole") return REDACTED;
    return mark.secret === "url" ? redactUrl(value) : value;
  });
}

/** Hides everything in a URL that may be a credential. Keeps scheme, host, port and path. */
export function redactUrl(text: string): string {
  const url = text.includes("://") ? parseUrl(text) : null;
  // Words such as `direct` are no URLs and no secrets; what looks like a broken URL is hidden whole.
  if (url === null) return /^[a-z]+$/.test(text) ? text : REDACTED;
  const hasUser = url.username !== "" || url.password !== "";
  const path = url.pathname === "/" && !/^[a-z]+:\/\/[^/]*\//i.test(text) ? "" : url.pathname;
  const query = url.search === "" ? "" : `?${REDACTED}`;
  return `${url.protocol}//${hasUser ? `${REDACTED}@` : ""}${url.host}${path}${query}`;
}
