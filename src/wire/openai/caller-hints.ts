import type { WireWarning } from "../codec.ts";
import { optionalObject, optionalString, type JsonObject } from "./json-reader.ts";

/** `metadata.user_id` for Messages: what tells the end users apart, by OpenAI's newer or older name. */
export function endUserOf(body: JsonObject): string | undefined {
  const metadata = optionalObject(body, "metadata", "");
  const own = metadata === undefined ? undefined : optionalString(metadata, "user_id", "metadata");
  return optionalString(body, "safety_identifier", "") ?? optionalString(body, "user", "") ?? own;
}

/** `service_tier` for Messages; undefined to leave it to the upstream's default. */
export function serviceTier(body: JsonObject, warnings: WireWarning[]): string | undefined {
  const tier = optionalString(body, "service_tier", "");
  switch (tier) {
    case undefined:
      return undefined;
    case "auto":
    case "standard_only":
      return tier;
    case "default":
      return "standard_only";
    case "priority":
    case "scale":
    case "fast":
      warnings.push({ field: "service_tier", message: `${tier} became auto: priority capacity where there is some` });
      return "auto";
    default:
      warnings.push({ field: "service_tier", message: `${tier} is not known to Messages and was left out` });
      return undefined;
  }
}
