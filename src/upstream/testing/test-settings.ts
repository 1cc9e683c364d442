import { AddressList } from "../../core/address-list.ts";
import { providerRow } from "../catalogue/providers.ts";
import { CatalogueDialect } from "../dialect.ts";
import type { UpstreamSettings } from "../upstream.ts";

/** Settings of an upstream that speaks Messages on loopback, without a credential, and with patience. */
export function testSettings(given: Partial<UpstreamSettings> = {}): UpstreamSettings {
  const dialect = new CatalogueDialect({
    row: providerRow("anthropic"),
    parameters: {},
    wires: null,
    custom: null,
    modelId: (asked) => asked,
  });
  return {
    name: "test",
    provider: "anthropic",
    baseUrl: "http://127.0.0.1:9",
    dialect,
    placement: { cloud: null, region: null, weight: 1, promptCache: "explicit" },
    credential: null,
    extraHeaders: {},
    proxyUrl: null,
    tls: { ca: null, cert: null, key: null, serverName: null },
    connectTimeoutMs: 5_000,
    headersTimeoutMs: 5_000,
    idleTimeoutMs: 5_000,
    allowPrivate: new AddressList(["127.0.0.0/8", "::1"]),
    forwardUserIdentity: false,
    ...given,
  };
}
