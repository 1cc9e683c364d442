import { describe, expect, it } from "vitest";

import { CliFixture } from "../testing/cli-fixture.ts";
import { FakeTerminal } from "../testing/fake-terminal.ts";
import { Examination } from "./examination.ts";
import { runCheck } from "./run-check.ts";

describe("a check", () => {
  it("that hangs is a failed check", async () => {
    await using weir = await CliFixture.create();
    const examination = await Examination.begin(weir.context(new FakeTerminal()), { credentials: true });
    const hanging = { id: "x", title: "X", run: () => new Promise<never>(() => {}) };
    expect(await runCheck(hanging, examination, 10)).toMatchObject({
      status: "fail",
      detail: "no result within 0.01 s",
    });
  });
});
