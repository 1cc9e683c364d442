import { configDefaults, defineConfig } from "vitest/config";

/** The tests that `npm test` runs. Each file has a process of its own; two at a time, as the servers they start need room. */
export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "scripts/**/*.test.ts", "bench/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "**/*.long.test.ts", "test/claude-code/**"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
