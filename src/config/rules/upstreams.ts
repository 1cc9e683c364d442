import { AddressList } from "../../core/address-list.ts";
import { canonicalModel } from "../../message/models.ts";
import type { Finding } from "../finding.ts";
import { didYouMean } from "../did-you-mean.ts";
import { parseUrl } from "../fields/network.ts";
import { isIpAddress, isLoopbackHost, isPublicAddress } from "../ip-address.ts";
import type { Config } from "../schema.ts";
import { refusal, type Rule, warning } from "./rule.ts";

/** The ledger, prices and metrics speak of upstreams by name. */
export const upstreamNamesDiffer: Rule = ({ config: { upstreams } }) =>
  upstreams.flatMap(({ name }, i): Finding[] => {
    const first = upstreams.findIndex((other) => other.name === name);
    if (first === i) return [];
    return [
      refusal("duplicate_name", ["upstreams", i, "name"], {
        message: `upstreams[${first}] is already named ${name}`,
        fix: "Give each upstream a name of its own; without one it is named for its provider.",
      }),
    ];
  });

/** The sandbox makes answers up. */
export const sandboxIsNotInProd: Rule = ({ config: { upstreams, profile: name }, profile }) => {
  if (profile.sandbox === "allowed") return [];
  return upstreams.flatMap(({ provider }, i): Finding[] => {
    if (provider !== "sandbox") return [];
    return [
      refusal("sandbox_in_prod", ["upstreams", i], {
        message: `the sandbox makes its answers up, so the ${name} profile does not take it`,
        fix: "Name a real upstream under upstreams, or set ANTHROPIC_API_KEY where Weir is started.",
      }),
    ];
  });
};

/** Credentials and prompts in clear text are worth a word; a service mesh may encrypt what looks so. */
export const upstreamsAreEncrypted: Rule = ({ config: { upstreams } }) =>
  upstreams.flatMap((upstream, i): Finding[] => {
    const url = upstream.provider === "sandbox" ? null : parseUrl(upstream.base_url);
    if (url === null || url.protocol === "https:" || isLoopbackHost(url.hostname)) return [];
    return [
      warning("upstream_without_tls", ["upstreams", i, "base_url"], {
        message: "http:// sends the credential and all prompts to another machine in clear text",
        fix: "Use https://, unless something below encrypts this connection.",
      }),
    ];
  });

/**
 * Addresses within the own network are reached only where that was said. Names are judged when they are resolved, at
 * each connection; here only what is plain from the text.
 */
export const privateUpstreamsAreAllowed: Rule = ({ config: { upstreams, network } }) => {
  const allowed = new AddressList(network.allow_private_upstreams);
  return upstreams.flatMap((upstream, i): Finding[] => {
    const host = upstream.provider === "sandbox" ? null : (parseUrl(upstream.base_url)?.hostname ?? null);
    if (host === null) return [];
    const address = isLoopbackHost(host) && !isIpAddress(host) ? "127.0.0.1" : host.replace(/^\[(.*)\]$/, "$1");
    if (!isIpAddress(address) || isPublicAddress(address) || allowed.includes(address)) return [];
    return [
      refusal("private_upstream", ["upstreams", i, "base_url"], {
        message: `${host} is not on the public internet, and network.allow_private_upstreams does not list it`,
        fix: `Add ${JSON.stringify(address)} to network.allow_private_upstreams if it is meant.`,
      }),
    ];
  });
};

/** A model mapped to an upstream that does not exist would never be served there. */
export const modelsNameKnownUpstreams: Rule = ({ config }) =>
  config.models.flatMap((model, i) =>
    Object.keys(model.upstream_model).flatMap((name): Finding[] => {
      const unknown = unknownUpstream(config, name);
      if (unknown === null) return [];
      return [{ ...refusal("unknown_upstream", ["models", i, "upstream_model", name], unknown), atKey: true }];
    }),
  );

/** One id, one model; and at least one model at all. */
export const modelsAreDistinct: Rule = ({ config: { models, auto_include_builtin_models: builtin } }) => {
  const findings = models.flatMap(({ id }, i): Finding[] => {
    const first = models.findIndex((other) => modelIdentity(other.id) === modelIdentity(id));
    if (first === i) return [];
    const text = { message: `models[${first}] is the same model`, fix: "Merge the two entries." };
    return [refusal("duplicate", ["models", i, "id"], text)];
  });
  if (builtin || models.length > 0) return findings;
  return [
    refusal("no_models", ["auto_include_builtin_models"], {
      message: "there would be no model to serve: models is empty and auto_include_builtin_models is false",
      fix: "List models, or set auto_include_builtin_models to true.",
    }),
  ];
};

/** What to say of a name that no upstream has; null when one has it. */
export function unknownUpstream(config: Config, name: string): { message: string; fix: string } | null {
  const names = config.upstreams.map((upstream) => upstream.name);
  if (names.includes(name)) return null;
  const [near] = didYouMean(name, names);
  return {
    message: `no upstream is named ${JSON.stringify(name)}`,
    fix: near === undefined ? `Use one of: ${names.join(", ")}. Otherwise remove it.` : `Did you mean ${near}?`,
  };
}

/** The same for all spellings of one built-in model: dated, regional or in another case. */
export function modelIdentity(id: string): string {
  return canonicalModel(id) ?? id.toLowerCase();
}
