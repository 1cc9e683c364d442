import { describe, expect, it } from "vitest";

import { Distances } from "./distances.ts";
import { zoneOfRegion } from "./zones.ts";

describe("Distances", () => {
  const distances = new Distances({
    distances: [
      { from: "eu", to: "us", distance: 7 },
      { from: "eu-west-1", to: "us", distance: 6 },
      { from: "eu-west-1", to: "us-east-1", distance: 4 },
    ],
    callerRegion: null,
    zones: { "berlin-dc": "eu" },
  });

  it("takes the most exact declaration, in both directions", () => {
    expect(distances.between("eu-west-1", "us-east-1")).toBe(4);
    expect(distances.between("us-east-1", "eu-west-1")).toBe(4);
    expect(distances.between("eu-west-1", "us-west-2")).toBe(6);
    expect(distances.between("eu-central-1", "us-west-2")).toBe(7);
  });

  it("knows zones that are declared for regions of one's own", () => {
    expect(distances.between("berlin-dc", "eu-central-1")).toBe(1);
    expect(distances.between("berlin-dc", "us-east-1")).toBe(7);
  });

  it("does not mind how names are capitalised", () => {
    expect(distances.between("EU-West-1", "us-EAST-1")).toBe(4);
    expect(distances.between("WestEurope", "westeurope")).toBe(0);
  });

  it("says how it knows", () => {
    expect(distances.words("eu-west-1", "us-east-1")).toBe(
      "us-east-1 is 4 from eu-west-1 (declared from eu-west-1 to us-east-1)",
    );
    expect(distances.words("eu-west-1", "eu-central-1")).toBe("eu-central-1 is in the client's zone eu");
    expect(distances.words(null, "eu-central-1")).toBe("the client's region is not known");
    expect(distances.words("eu-west-1", null)).toBe("its region is not known");
  });
});

describe("zoneOfRegion", () => {
  it.each([
    ["us-east-1", "us"],
    ["us-gov-west-1", "us"],
    ["eu-central-2", "eu"],
    ["europe-west4", "eu"],
    ["ap-southeast-2", "ap"],
    ["asia-northeast1", "ap"],
    ["northamerica-northeast1", "us"],
    ["southamerica-east1", "sa"],
    ["swedencentral", "eu"],
    ["eastus2", "us"],
    ["australiaeast", "ap"],
    ["southafricanorth", "af"],
    ["me-central1", "me"],
    ["global", "global"],
    ["eu", "eu"],
    ["mars-1", null],
    ["", null],
  ])("of %s is %s", (region, zone) => {
    expect(zoneOfRegion(region)).toBe(zone);
  });
});
