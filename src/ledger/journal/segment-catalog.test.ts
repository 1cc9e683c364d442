import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { SegmentCatalog, segmentName, segmentNumber } from "./segment-catalog.ts";

function catalogOf(...sizes: number[]): SegmentCatalog {
  const catalog = new SegmentCatalog("/journal");
  sizes.forEach((sizeBytes, index) => {
    catalog.add({ number: index + 1, file: catalog.fileOf(index + 1), sizeBytes });
  });
  return catalog;
}

describe("segment file names", () => {
  it("sort as their numbers and are read back", () => {
    const numbers = [1, 9, 10, 123_456];
    const names = numbers.map(segmentName);
    expect(names.toSorted()).toEqual(names);
    expect(names.map(segmentNumber)).toEqual(numbers);
  });

  it.each(["lock", "id", "reserve", "000000000001.segment.new", "1.segment"])("do not look like %s", (name) => {
    expect(segmentNumber(name)).toBeNull();
  });
});

describe("SegmentCatalog", () => {
  it("counts what is on disk and not released", () => {
    const catalog = catalogOf(100, 200, 300);
    expect(catalog.backlogBytes).toBe(600);
    catalog.release({ segment: 2, offset: 50 });
    expect(catalog.backlogBytes).toBe(450);
    catalog.release({ segment: 3, offset: 300 });
    expect(catalog.backlogBytes).toBe(0);
  });

  it("counts what the current segment grows by", () => {
    const catalog = catalogOf(100);
    const current = catalog.get(1)!;
    catalog.release({ segment: 1, offset: 100 });
    current.sizeBytes += 40;
    expect(catalog.backlogBytes).toBe(40);
  });

  it("offers whole released segments for deletion, never the current one", () => {
    const catalog = catalogOf(100, 200, 300);
    const reclaimable = (): number[] => catalog.reclaimable().map((info) => info.number);
    expect(reclaimable()).toEqual([]);
    catalog.release({ segment: 1, offset: 99 });
    expect(reclaimable()).toEqual([]);
    catalog.release({ segment: 1, offset: 100 });
    expect(reclaimable()).toEqual([1]);
    catalog.release({ segment: 3, offset: 300 });
    expect(reclaimable()).toEqual([1, 2]);
  });

  it("given releases in any order, keeps the furthest", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ segment: fc.integer({ min: 1, max: 3 }), offset: fc.nat({ max: 100 }) }), {
          minLength: 1,
        }),
        (positions) => {
          const catalog = catalogOf(100, 100, 100);
          for (const position of positions) catalog.release(position);
          const furthest = Math.max(...positions.map(({ segment, offset }) => (segment - 1) * 100 + offset));
          expect(catalog.backlogBytes).toBe(300 - furthest);
        },
      ),
    );
  });

  it("hides what is being deleted from readers, and keeps it for deletion until it is gone", () => {
    const catalog = catalogOf(100, 200, 300);
    catalog.release({ segment: 2, offset: 200 });
    catalog.hideUpTo(2);
    expect(catalog.get(2)).toBeUndefined();
    expect(catalog.oldest().segment).toBe(3);
    expect(catalog.reclaimable().map((info) => info.number)).toEqual([1, 2]);
  });

  it("keeps its count when segments are deleted", () => {
    const catalog = catalogOf(100, 200, 300);
    catalog.release({ segment: 2, offset: 200 });
    catalog.remove(1);
    catalog.remove(2);
    expect(catalog.backlogBytes).toBe(300);
    expect(catalog.oldest().segment).toBe(3);
  });
});
