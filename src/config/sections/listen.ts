import { z } from "zod";

import { checkedMembers } from "../fields/checked.ts";
import { filePath } from "../fields/file-path.ts";
import { bindHost, cidr, publicOrigin } from "../fields/network.ts";
import { port } from "../fields/number.ts";
import { isLoopbackHost } from "../ip-address.ts";

/** Cipher suites with forward secrecy and authenticated encryption, by their OpenSSL names. Nothing else is offered. */
const STRONG_CIPHERS = [
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "TLS_AES_128_GCM_SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
] as const;

const DEFAULT_CIPHERS: readonly (typeof STRONG_CIPHERS)[number][] = [
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
];

const tlsMembers = z.strictObject({
  cert: filePath().describe(
    "PEM file with the server's certificate, followed by its intermediates. Reloaded on change.",
  ),
  key: filePath().describe("PEM file with the certificate's private key, not encrypted. Reloaded on change."),
  min_version: z
    .enum(["TLSv1.2", "TLSv1.3"])
    .default("TLSv1.2")
    .describe("Oldest protocol version that a client may use."),
  ciphers: z
    .array(z.enum(STRONG_CIPHERS))
    .min(1)
    .default([...DEFAULT_CIPHERS])
    .describe("Cipher suites in order of preference, by OpenSSL name. Names that begin with `TLS_` are for TLS 1.3."),
  client_ca: filePath().optional().describe("PEM file with the authorities whose client certificates are accepted."),
  client_auth: z
    .enum(["none", "optional", "require"])
    .default("none")
    .describe(
      "Whether clients are asked for a certificate, and whether one without a valid certificate is turned away.",
    ),
});

/** TLS that Weir terminates itself. */
const tls = checkedMembers(tlsMembers, (value) => {
  const problems = [];
  if (value.client_auth !== "none" && value.client_ca === undefined) {
    problems.push({
      path: ["client_auth"],
      message: `client_auth is ${value.client_auth}, but there is no client_ca to check client certificates with`,
      fix: "Set listen.tls.client_ca to a PEM file of your client authority, or client_auth to none.",
    });
  }
  const needsTls13 = value.min_version === "TLSv1.3" && !value.ciphers.some((name) => name.startsWith("TLS_"));
  if (needsTls13) {
    problems.push({
      path: ["ciphers"],
      message: "min_version is TLSv1.3, but no cipher suite in the list is for TLS 1.3",
      fix: "Add TLS_AES_256_GCM_SHA384.",
    });
  }
  return problems;
});

const listenMembers = z.strictObject({
  host: bindHost()
    .default("0.0.0.0")
    .describe(
      "Address to listen on. In the dev profile 127.0.0.1, unless `public_url` names a host other than this machine.",
    ),
  port: port().default(8080).describe("Port to listen on; 0 lets the system choose."),
  public_url: publicOrigin()
    .optional()
    .describe(
      "The `https://` origin under which clients reach Weir, also behind a proxy. Needed unless `host` is a loopback address: Weir never derives its own address from headers that a client can forge.",
    ),
  tls: tls.optional().describe("Set to let Weir terminate TLS itself. Absent: plain HTTP."),
  trusted_proxies: z
    .array(cidr())
    .default([])
    .describe("Addresses or CIDR ranges of load balancers whose `X-Forwarded-For` is believed."),
});

/** Where clients connect. */
export const listen = checkedMembers(listenMembers, (value) => {
  if (isLoopbackHost(value.host) || value.public_url !== undefined) return [];
  return [
    {
      code: "public_url_missing",
      path: ["public_url"],
      message: "public_url is needed because listen.host is not a loopback address",
      fix: "Set listen.public_url to the https:// address that clients use, or listen.host to 127.0.0.1.",
    },
  ];
})
  .prefault({})
  .describe("Where clients connect: address, public name, TLS.");
