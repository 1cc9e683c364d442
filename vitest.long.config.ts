import { configDefaults, defineConfig } from "vitest/config";

/** The tests that take minutes: `npm run test:long`. One file at a time, so that each has the machine. */
export default defineConfig({
  test: {
    include: ["src/**/*.long.test.ts", "test/**/*.long.test.ts"],
    exclude: [...configDefaults.exclude, "test/claude-code/**"],
    testTimeout: 60 * 60_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 1,
    passWithNoTests: true,
  },
});
