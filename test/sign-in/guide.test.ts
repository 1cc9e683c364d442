/** The commands of the guide, run as they stand. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { blocksOf } from "../docs/markdown.ts";
import { requires } from "../harness/requires.ts";
import { SignInFixture } from "./sign-in-fixture.ts";

const run = promisify(execFile);
const curl = requires("curl", { command: "apt-get install -y curl" });
const commands = blocksOf("docs/guides/sign-in.md").filter(({ info }) => info === "sh sign-in");

describe.skipIf(curl.missing)(curl.title("the commands in the sign-in guide"), () => {
  let fixture: SignInFixture;

  beforeAll(async () => {
    fixture = await SignInFixture.start();
  });

  afterAll(async () => {
    await fixture?.stop();
  });

  it("are there", () => {
    expect(commands.length).toBe(3);
  });

  it.each(commands)("work: line $line", async ({ text }) => {
    const env = { PATH: process.env["PATH"], WEIR_URL: fixture.origin, NO_PROXY: "127.0.0.1" };
    const { stdout } = await run("bash", ["-euo", "pipefail", "-c", text], { env });
    expect(stdout).toMatch(/oauth|device_code|authorization_pending/);
  });
});
