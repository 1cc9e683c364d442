import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseExposition, type ExpositionSample } from "../testing/parse-exposition.ts";
import { Instrument } from "./instruments.ts";

function samplesOf(instrument: Instrument): ExpositionSample[] {
  return parseExposition(instrument.render()).get(instrument.name)?.samples ?? [];
}

const hostileText = fc.string({
  unit: fc.constantFrom("a", '"', "\\", "\n", "\r", "}", ",", "=", " ", "é", "n"),
  maxLength: 10,
});

describe("Instrument", () => {
  it("counts by labels and tells what it counted", () => {
    const counter = new Instrument({ name: "requests_total", help: "Requests.", kind: "counter" });
    counter.slot({ model: "opus", status: "200" }).add(2);
    counter.slot({ model: "opus", status: "200" }).add(1);
    counter.slot({ model: "opus", status: "429" }).add(1);

    expect(counter.render()).toBe(
      "# HELP requests_total Requests.\n# TYPE requests_total counter\n" +
        'requests_total{model="opus",status="200"} 3\nrequests_total{model="opus",status="429"} 1\n',
    );
  });

  it("needs no labels", () => {
    const gauge = new Instrument({ name: "open", help: "Open.", kind: "gauge" });
    const slot = gauge.slot({});
    slot.add(5);
    slot.add(-2);
    expect(samplesOf(gauge)).toEqual([{ name: "open", labels: {}, value: 3 }]);

    slot.set(7.5);
    expect(samplesOf(gauge)).toEqual([{ name: "open", labels: {}, value: 7.5 }]);
  });

  it("gives back every label value, whatever characters it has", () => {
    fc.assert(
      fc.property(fc.uniqueArray(hostileText, { maxLength: 8 }), (values) => {
        const counter = new Instrument({ name: "c", help: "C.", kind: "counter" });
        for (const [i, value] of values.entries()) counter.slot({ value }).add(i);

        expect(samplesOf(counter).map(({ labels, value }) => [labels["value"], value])).toEqual(
          values.map((value, i) => [value, i]),
        );
      }),
    );
  });

  it("puts every observation into the buckets that reach to it, and sums them up", () => {
    const bounds = fc
      .uniqueArray(fc.integer({ min: -50, max: 50 }), { maxLength: 6 })
      .map((list) => list.sort((a, b) => a - b));
    fc.assert(
      fc.property(bounds, fc.array(fc.integer({ min: -60, max: 60 }), { maxLength: 40 }), (buckets, values) => {
        const histogram = new Instrument({ name: "h", help: "H.", kind: "histogram", buckets });
        const handle = histogram.histogram({ stage: "x" });
        for (const value of values) handle.observe(value);

        const expected = [...buckets, Infinity].map((bound) => ({
          name: "h_bucket",
          labels: { stage: "x", le: bound === Infinity ? "+Inf" : String(bound) },
          value: values.filter((value) => value <= bound).length,
        }));
        expect(samplesOf(histogram)).toEqual([
          ...expected,
          { name: "h_sum", labels: { stage: "x" }, value: values.reduce((sum, value) => sum + value, 0) },
          { name: "h_count", labels: { stage: "x" }, value: values.length },
        ]);
      }),
    );
  });

  it("keeps to its number of series: what comes beyond it is counted together", () => {
    const counter = new Instrument({ name: "c", help: "C.", kind: "counter", maxSeries: 3 });
    for (let i = 0; i < 100; i++) counter.slot({ user: `user ${i}`, model: "m" }).add(1);
    counter.slot({ user: "user 1", model: "m" }).add(1);
    const samples = samplesOf(counter);

    expect(samples).toHaveLength(4);
    expect(samples.find(({ labels }) => labels["user"] === "user 1")?.value).toBe(2);
    expect(samples.find(({ labels }) => labels["user"] === "other")).toEqual({
      name: "c",
      labels: { user: "other", model: "other" },
      value: 97,
    });
  });

  it("bounds histograms likewise", () => {
    const histogram = new Instrument({ name: "h", help: "H.", kind: "histogram", buckets: [1], maxSeries: 1 });
    for (let i = 0; i < 10; i++) histogram.histogram({ model: `m${i}` }).observe(i);

    expect(
      samplesOf(histogram)
        .filter(({ name }) => name === "h_count")
        .map(({ value }) => value),
    ).toEqual([1, 9]);
  });
});
