/** Parts of the world that region names of the clouds begin with, longest first where one begins another. */
const ZONE_BY_PREFIX: readonly (readonly [prefix: string, zone: string])[] = [
  // AWS, Bedrock's inference profiles, Google
  ["us-gov", "us"],
  ["us-", "us"],
  ["eu-", "eu"],
  ["europe-", "eu"],
  ["ap-", "ap"],
  ["apac", "ap"],
  ["asia-", "ap"],
  ["australia-", "ap"],
  ["australia", "ap"],
  ["ca-", "us"],
  ["northamerica-", "us"],
  ["sa-", "sa"],
  ["southamerica-", "sa"],
  ["me-", "me"],
  ["il-", "me"],
  ["af-", "af"],
  ["africa-", "af"],
  // Azure
  ["eastus", "us"],
  ["westus", "us"],
  ["centralus", "us"],
  ["northcentralus", "us"],
  ["southcentralus", "us"],
  ["westcentralus", "us"],
  ["canada", "us"],
  ["westeurope", "eu"],
  ["northeurope", "eu"],
  ["france", "eu"],
  ["germany", "eu"],
  ["italy", "eu"],
  ["norway", "eu"],
  ["poland", "eu"],
  ["spain", "eu"],
  ["sweden", "eu"],
  ["switzerland", "eu"],
  ["uk", "eu"],
  ["eastasia", "ap"],
  ["southeastasia", "ap"],
  ["japan", "ap"],
  ["korea", "ap"],
  ["southindia", "ap"],
  ["centralindia", "ap"],
  ["westindia", "ap"],
  ["brazil", "sa"],
  ["uae", "me"],
  ["qatar", "me"],
  ["israel", "me"],
  ["southafrica", "af"],
];

const ZONES: ReadonlySet<string> = new Set(["us", "eu", "ap", "sa", "me", "af", "global"]);

/** The part of the world that a region's name tells: `us`, `eu`, `ap`, `sa`, `me`, `af`, `global`; null when it does not. */
export function zoneOfRegion(region: string): string | null {
  const name = region.toLowerCase();
  if (ZONES.has(name)) return name;
  for (const [prefix, zone] of ZONE_BY_PREFIX) if (name.startsWith(prefix)) return zone;
  return null;
}
