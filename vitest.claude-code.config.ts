import { defineConfig } from "vitest/config";

/**
 * The tests with the real Claude Code: `npm run test:claude-code`. Apart from the others, for they download a program. Two
 * files at a time: each has one Weir and one Claude Code at work.
 */
export default defineConfig({
  test: {
    include: ["test/claude-code/**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    globalSetup: ["test/claude-code/install-first.ts"],
    testTimeout: 180_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
