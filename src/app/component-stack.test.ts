import { beforeEach, describe, expect, it } from "vitest";

import type { Component } from "../core/component.ts";
import { ComponentStack } from "./component-stack.ts";

describe("ComponentStack", () => {
  let log: string[];
  let stack: ComponentStack;

  beforeEach(() => {
    log = [];
    stack = new ComponentStack();
  });

  function component(name: string, failing: "start" | "stop" | null = null): Component {
    const act = async (what: "start" | "stop"): Promise<void> => {
      log.push(`${what} ${name}`);
      if (failing === what) throw new Error(`${name} does not ${what}`);
    };
    return { name, start: () => act("start"), stop: () => act("stop") };
  }

  it("starts in order, gives back what it started, and stops in the opposite order", async () => {
    const first = component("a");
    expect(await stack.start(first)).toBe(first);
    await stack.start(component("b"));
    stack.beforeStop(async () => void log.push("flush"));
    await stack.start(component("c"));
    await stack.stop();

    expect(log).toEqual(["start a", "start b", "start c", "stop c", "flush", "stop b", "stop a"]);
  });

  it("stops each exactly once, however often it is stopped", async () => {
    await stack.start(component("a"));
    await stack.stop();
    await stack.stop();

    expect(log).toEqual(["start a", "stop a"]);
  });

  it("stops a component that does not start, and those before it when told to", async () => {
    await stack.start(component("a"));
    await expect(stack.start(component("b", "start"))).rejects.toThrow("b does not start");
    expect(log).toEqual(["start a", "start b", "stop b"]);
    await stack.stop();

    expect(log.at(-1)).toBe("stop a");
  });

  it("stops the others when one does not stop, and tells the first failure in the end", async () => {
    await stack.start(component("a", "stop"));
    await stack.start(component("b"));
    await stack.start(component("c", "stop"));

    await expect(stack.stop()).rejects.toThrow("c does not stop");
    expect(log.slice(3)).toEqual(["stop c", "stop b", "stop a"]);
  });
});
