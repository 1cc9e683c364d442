import { describe, expect, it } from "vitest";

import { OtlpMetrics } from "../metrics/otlp-metrics.ts";
import type { CollectorRequest, CollectorSettings } from "./collector.ts";
import { isMetadataAddress } from "./collector-lookup.ts";
import { OtlpForwarder } from "./otlp-forwarder.ts";
import type { OtlpExport, OtlpSignal } from "./otlp-sink.ts";

function received(signal: OtlpSignal, text = "x"): OtlpExport {
  return {
    signal,
    contentType: "application/x-protobuf",
    contentEncoding: null,
    body: Buffer.from(text),
    organizationId: "org_1",
    userId: null,
    keyId: "key_1",
  };
}

function collector(settings: Partial<CollectorSettings>): CollectorSettings {
  return {
    url: "https://otel.example.com",
    headers: {},
    metrics: true,
    logs: false,
    traces: false,
    queueBytes: 1_000,
    timeoutMs: 1_000,
    ...settings,
  };
}

/** A network on which answers come when the test says so. */
class FakeNetwork {
  readonly requests: CollectorRequest[] = [];
  readonly #open: ((status: number) => void)[] = [];

  readonly send = (request: CollectorRequest): Promise<number> => {
    this.requests.push(request);
    return new Promise((resolve, reject) => {
      this.#open.push(resolve);
      request.signal.addEventListener("abort", () => reject(new Error("aborted")));
    });
  };

  answer(status: number): void {
    for (const resolve of this.#open.splice(0)) resolve(status);
  }
}

function setup(...settings: Partial<CollectorSettings>[]): {
  network: FakeNetwork;
  forwarder: OtlpForwarder;
  metrics: OtlpMetrics;
} {
  const network = new FakeNetwork();
  const metrics = new OtlpMetrics();
  const forwarder = new OtlpForwarder({ metrics, send: network.send });
  forwarder.configure(settings.map(collector));
  return { network, forwarder, metrics };
}

/** Lines of the metrics page about forwarding. */
function counts(metrics: OtlpMetrics): string {
  return metrics.instruments.map((instrument) => instrument.render()).join("\n");
}

describe("OtlpForwarder", () => {
  it("gives each collector the signals that it asked for, at its path and with its headers", async () => {
    const { network, forwarder } = setup(
      { url: "https://a.example.com/otlp/", headers: { "api-key": "k" }, logs: true },
      { url: "https://user:p%40ss@b.example.com", metrics: false, traces: true },
    );
    for (const signal of ["metrics", "logs", "traces"] as const) forwarder.accept(received(signal));
    forwarder.accept({ ...received("metrics"), contentType: "application/json", contentEncoding: "gzip" });

    expect(network.requests.map(({ url }) => url)).toEqual([
      "https://a.example.com/otlp/v1/metrics",
      "https://a.example.com/otlp/v1/logs",
      "https://b.example.com/v1/traces",
      "https://a.example.com/otlp/v1/metrics",
    ]);
    expect(network.requests[0]?.headers).toEqual({ "api-key": "k", "content-type": "application/x-protobuf" });
    expect(network.requests[2]?.headers["authorization"]).toBe(`Basic ${Buffer.from("user:p@ss").toString("base64")}`);
    expect(network.requests[3]?.headers).toMatchObject({
      "content-type": "application/json",
      "content-encoding": "gzip",
    });
    network.answer(200);
    await forwarder.stop();
  });

  it("drops what does not fit beside what waits, and takes more when that is gone", async () => {
    const { network, forwarder, metrics } = setup({ queueBytes: 100 });
    for (let i = 0; i < 30; i++) forwarder.accept(received("metrics", "0123456789"));
    expect(network.requests.length).toBe(8);
    expect(counts(metrics)).toMatch(/dropped[^\n]*20/);

    for (let round = 0; round < 3; round++) {
      network.answer(200);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(network.requests.length).toBe(10);
    forwarder.accept(received("metrics", "0123456789"));
    expect(network.requests.length).toBe(11);
    network.answer(200);
    await forwarder.stop();
  });

  it("lets a collector that does not answer hold up neither another one nor the end", async () => {
    const network = new FakeNetwork();
    const seen: string[] = [];
    const forwarder = new OtlpForwarder({
      metrics: new OtlpMetrics(),
      send: async (request) => {
        if (request.url.startsWith("https://dead")) return await network.send(request);
        seen.push(request.url);
        return 200;
      },
    });
    forwarder.configure([collector({ url: "https://dead.example.com", timeoutMs: 50 }), collector({})]);
    for (let i = 0; i < 20; i++) forwarder.accept(received("metrics"));
    await forwarder.stop();
    expect(seen.length).toBe(20);
  });

  it("counts refusals and failures, and throws neither", async () => {
    const metrics = new OtlpMetrics();
    let calls = 0;
    const forwarder = new OtlpForwarder({
      metrics,
      send: async () => {
        if (calls++ === 0) return 503;
        throw new Error("no way there");
      },
    });
    forwarder.configure([collector({})]);
    forwarder.accept(received("metrics"));
    forwarder.accept(received("metrics"));
    await forwarder.stop();
    expect(counts(metrics)).toMatch(/refused/);
    expect(counts(metrics)).toMatch(/failed/);
  });

  it("forwards nowhere until it is told where", async () => {
    const { network, forwarder } = setup();
    forwarder.accept(received("metrics"));
    expect(network.requests).toEqual([]);
    await forwarder.stop();
  });
});

describe("isMetadataAddress", () => {
  it.each([
    ["169.254.169.254", true],
    ["fe80::1", true],
    ["fd00:ec2::254", true],
    ["100.100.100.200", true],
    ["10.0.0.1", false],
    ["127.0.0.1", false],
    ["203.0.113.1", false],
  ])("%s: %s", (address, expected) => {
    expect(isMetadataAddress(address)).toBe(expected);
  });
});
