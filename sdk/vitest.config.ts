import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      // All logic, with a faked server, clock and browser.
      { test: { name: "logic", include: ["*/tests/**/*.test.ts"], exclude: ["**/wire/**"] } },
      // The same calls against a real server, which `scripts/wire.mjs` starts.
      { test: { name: "wire", include: ["*/tests/wire/**/*.test.ts"], testTimeout: 60_000 } },
    ],
  },
});
