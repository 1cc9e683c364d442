import type { Config } from "../../config/schema.ts";

/** What is configured of one identity provider, with the name under which links, logs and audit know it. */
export type ProviderSettings = Omit<Config["oidc_providers"][number], "name"> & { readonly name: string };

/** The name of the provider that stands under `oidc`. */
const DEFAULT_PROVIDER = "default";

/** All identity providers of a configuration, that of `oidc` first. */
export function providerSettings({ oidc, oidc_providers }: Config): readonly ProviderSettings[] {
  return [...(oidc === undefined ? [] : [{ name: DEFAULT_PROVIDER, ...oidc }]), ...oidc_providers];
}

/** What people call the provider. */
export function labelOf({ label, issuer }: ProviderSettings): string {
  return label ?? new URL(issuer).host;
}
