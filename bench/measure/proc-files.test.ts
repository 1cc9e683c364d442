import { describe, expect, it } from "vitest";
import { parseSchedstat, readCpuTime } from "./cpu-time.ts";
import { parseSmapsRollup, readMemory } from "./memory.ts";
import { groupProcesses, parseStat } from "./process-tree.ts";

const ROLLUP = `55d0c0000000-7ffd2d5f1000 ---p 00000000 00:00 0                          [rollup]
Rss:              182344 kB
Pss:              141022 kB
Pss_Dirty:        120000 kB
Pss_Anon:         119000 kB
Shared_Clean:      60312 kB
`;

describe("a line of /proc/PID/stat", () => {
  it("gives the process, its parent and its command", () => {
    expect(parseStat("4242 (node) S 17 4242 4242 0 -1 4194304 0")).toEqual({
      pid: 4242,
      parentPid: 17,
      command: "node",
    });
  });

  it("is read from the last bracket on when the command itself holds brackets and spaces", () => {
    expect(parseStat("7 (a (b) c) R 3 7 7")).toEqual({ pid: 7, parentPid: 3, command: "a (b) c" });
  });
});

describe("a line of /proc/PID/task/TID/schedstat", () => {
  it("begins with the nanoseconds on a CPU", () => {
    expect(parseSchedstat("123456789 222 33\n")).toBe(123_456_789);
  });

  it("is refused when it is something else", () => {
    expect(() => parseSchedstat("n/a")).toThrow(/schedstat/);
  });
});

describe("/proc/PID/smaps_rollup", () => {
  it("gives the proportional and the resident set in bytes", () => {
    expect(parseSmapsRollup(ROLLUP)).toEqual({ pss: 141_022 * 1024, rss: 182_344 * 1024 });
  });

  it("is refused without them", () => {
    expect(() => parseSmapsRollup("Rss: 1 kB\n")).toThrow(/Pss/);
  });
});

describe("the processes of a gateway", () => {
  const rows = [
    { pid: 1, parentPid: 0, command: "init" },
    { pid: 10, parentPid: 1, command: "node" },
    { pid: 11, parentPid: 10, command: "node" },
    { pid: 20, parentPid: 11, command: "postgres" },
    { pid: 21, parentPid: 20, command: "io worker" },
    { pid: 99, parentPid: 1, command: "node" },
  ];

  it("are all below its root, and those of its database are told apart", () => {
    expect(groupProcesses(rows, 10)).toEqual({ gateway: [10, 11], database: [20, 21] });
  });

  it("are a database alone when the root is one", () => {
    expect(groupProcesses(rows, 20)).toEqual({ gateway: [], database: [20, 21] });
  });

  it("are none when the root has ended", () => {
    expect(groupProcesses(rows, 12345)).toEqual({ gateway: [], database: [] });
  });

  it.skipIf(process.platform !== "linux")("are measured in this very process: it has used CPU and memory", () => {
    const before = readCpuTime({ pid: process.pid }).gatewayNs;
    let sum = 0;
    for (let i = 0; i < 5e6; i++) sum += Math.sqrt(i);
    expect(sum).toBeGreaterThan(0);
    expect(readCpuTime({ pid: process.pid }).gatewayNs).toBeGreaterThan(before);
    expect(readMemory({ pid: process.pid }).gateway.pss).toBeGreaterThan(1e6);
  });
});
