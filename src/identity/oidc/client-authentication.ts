import { X509Certificate } from "node:crypto";

import { importPKCS8 } from "jose";
import * as client from "openid-client";

import type { ProviderSettings } from "./provider-settings.ts";

/** How Weir proves to the token endpoint who it is; undefined lets openid-client choose from what the provider announces. */
export async function clientAuthentication(settings: ProviderSettings): Promise<client.ClientAuth | undefined> {
  const { client_secret, client_assertion, token_endpoint_auth_method } = settings;
  if (token_endpoint_auth_method === "private_key_jwt" && client_assertion !== undefined) {
    const key = await importPKCS8(client_assertion.private_key_pem, "RS256");
    const certificate = new X509Certificate(client_assertion.certificate_pem);
    return client.PrivateKeyJwt(key, {
      // Microsoft Entra finds the certificate by its SHA-1, others by its SHA-256 (RFC 7515, 4.1.7).
      [client.modifyAssertion]: (header) => {
        header["x5t"] = Buffer.from(certificate.fingerprint.replaceAll(":", ""), "hex").toString("base64url");
        header["x5t#S256"] = Buffer.from(certificate.fingerprint256.replaceAll(":", ""), "hex").toString("base64url");
      },
    });
  }
  if (client_secret === undefined) return client.None();
  if (token_endpoint_auth_method === "client_secret_basic") return client.ClientSecretBasic(client_secret);
  if (token_endpoint_auth_method === "client_secret_post") return client.ClientSecretPost(client_secret);
  return negotiated(client_secret);
}

/** Basic, which every provider must have, unless the provider announces only the other. */
function negotiated(secret: string): client.ClientAuth {
  const basic = client.ClientSecretBasic(secret);
  const post = client.ClientSecretPost(secret);
  return (server, metadata, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported;
    const usesPost = methods?.includes("client_secret_post") === true && !methods.includes("client_secret_basic");
    (usesPost ? post : basic)(server, metadata, body, headers);
  };
}
