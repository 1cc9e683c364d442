import { z } from "zod";

import { checked, checkedMembers } from "../fields/checked.ts";
import { filePath } from "../fields/file-path.ts";
import { fieldMarks } from "../fields/mark.ts";

/** Name of an upstream; `fallback` is the one it has when none is written: its provider's. */
export function upstreamName(fallback: string): z.ZodDefault<z.ZodString> {
  return checked(z.string(), (value) => {
    if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(value)) return null;
    return {
      message: "must be 1 to 64 letters, digits, dots, dashes or underscores, beginning with a letter or digit",
      fix: "Choose a short name such as anthropic-eu.",
    };
  })
    .default(fallback)
    .describe("Name by which models, prices, metrics and the ledger refer to this upstream; distinct in the list.");
}

/** TLS towards an upstream. */
export const upstreamTls = checkedMembers(
  z.strictObject({
    ca: filePath()
      .optional()
      .describe("PEM file with authorities to trust for this upstream, instead of the system's."),
    cert: filePath().optional().describe("PEM file with the client certificate to present."),
    key: filePath().optional().describe("PEM file with the client certificate's private key."),
    server_name: z
      .string()
      .min(1)
      .optional()
      .describe("Name to ask for (SNI) and to check the certificate against, where it differs from the URL's host."),
  }),
  (value) => {
    if ((value.cert === undefined) === (value.key === undefined)) return [];
    const missing = value.cert === undefined ? "cert" : "key";
    return [
      {
        path: [missing],
        message: `${missing} is missing: a client certificate needs both cert and key`,
        fix: `Set tls.${missing} as well, or remove the other.`,
      },
    ];
  },
);

/** Headers that Weir sets itself, or that belong to one connection. */
const MANAGED_HEADERS: ReadonlySet<string> = new Set([
  "authorization",
  "x-api-key",
  "api-key",
  "host",
  "content-length",
  "content-encoding",
  "transfer-encoding",
  "connection",
  "keep-alive",
  "te",
  "trailer",
  "upgrade",
  "expect",
  "proxy-authorization",
]);

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const NO_HEADER_NAME = { message: "is no valid header name", fix: "Use letters, digits and dashes." };

/** Headers that carry credentials, which are Weir's business but may be named where a credential is configured. */
const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set(["authorization", "x-api-key", "api-key"]);

/** Name of the header that a credential is sent in. */
export const credentialHeaderName = checked(z.string(), (value) => {
  if (!HEADER_NAME.test(value)) return NO_HEADER_NAME;
  const name = value.toLowerCase();
  if (CREDENTIAL_HEADERS.has(name) || !MANAGED_HEADERS.has(name)) return null;
  return {
    message: "is a header that belongs to the connection",
    fix: "Name the header that the server reads the key from.",
  };
});

const headerName = checked(z.string(), (value) => {
  if (!HEADER_NAME.test(value)) return NO_HEADER_NAME;
  if (!MANAGED_HEADERS.has(value.toLowerCase())) return null;
  return { message: "is a header that Weir sets itself", fix: "Remove it; credentials belong under auth." };
});

const headerValue = checked(z.string(), (value) => {
  if (/^[\t\x20-\x7e]*$/.test(value)) return null;
  return { message: "must be printable ASCII without line breaks", fix: "Remove the other characters." };
}).register(fieldMarks, { secret: "whole" });

/** Headers added to every request to an upstream. Values are treated as secrets. */
export const extraHeaders = z
  .record(headerName, headerValue)
  .default({})
  .describe("Headers added to every request to this upstream. Their values are treated as secrets.");
