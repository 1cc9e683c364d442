import { claudeCode } from "./install.ts";

/** Downloads the program before the first test, so that no two files do. */
export async function setup(): Promise<void> {
  await claudeCode();
}
