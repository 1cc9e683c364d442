import type { UpstreamConfig } from "../../config/schema.ts";
import { providerRow } from "./providers.ts";
import { resolveBaseUrl, type Parameters } from "./resolve.ts";

/** The values that a configured upstream has for the templates of its row. */
export function parametersOf(upstream: UpstreamConfig): Parameters {
  switch (upstream.provider) {
    case "bedrock":
    case "bedrockMantle":
      return { region: upstream.region };
    case "anthropicAws":
      return { region: upstream.region, workspace: upstream.workspace_id };
    case "vertex":
      return { region: upstream.region, project: upstream.project_id };
    case "foundry":
      return given({ resource: upstream.resource });
    case "azure-openai": {
      const { resource, api, api_version: version } = upstream;
      return given(api === "v1" ? { resource, v1Version: version } : { resource, apiVersion: version });
    }
    case "anthropic":
    case "openai":
    case "custom":
    case "sandbox":
    default:
      return {};
  }
}

/**
 * What stands before an upstream's paths, without a slash at the end: its `base_url` with the path that its service always has,
 * or what follows from region and resource. Null for the sandbox, which chooses its own port.
 */
export function baseUrlOf(upstream: UpstreamConfig): string | null {
  if (upstream.provider === "sandbox") return null;
  return resolveBaseUrl(providerRow(upstream.provider), upstream.base_url ?? null, parametersOf(upstream));
}

/** Without what is not set. */
function given(parameters: { readonly [Name in keyof Parameters]: string | undefined }): Parameters {
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined));
}
