import { defineConfig } from "vitest/config";

/** The tests with the real Claude Code: `npm run test:claude-code`. Apart from the others, for they download a program. */
export default defineConfig({
  test: {
    include: ["test/claude-code/**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    testTimeout: 180_000,
    // The first run downloads the program.
    hookTimeout: 600_000,
    pool: "forks",
    fileParallelism: false,
  },
});
