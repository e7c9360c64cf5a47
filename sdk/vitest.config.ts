import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const alias = { "@fanfare/sdk-core": path("core/src/index.ts") }; // the sources: nothing has to be built first
const react18 = { react: path("react18/node_modules/react"), "react-dom": path("react18/node_modules/react-dom") };
const hooks = { include: ["react/tests/*.test.tsx"], environment: "jsdom" };

export default defineConfig({
  test: {
    projects: [
      // All logic, with a faked server, clock and browser.
      { resolve: { alias }, test: { name: "logic", include: ["*/tests/**/*.test.ts"], exclude: ["**/wire/**"] } },
      // The hooks, with the newest React and the oldest that is promised.
      { resolve: { alias }, test: { name: "react 19", ...hooks } },
      {
        resolve: { alias: { ...alias, ...react18 } },
        test: { name: "react 18", ...hooks, setupFiles: ["react18/setup.ts"] },
      },
      // The same calls against a real server, which `scripts/wire.mjs` starts.
      { test: { name: "wire", include: ["*/tests/wire/**/*.test.ts"], testTimeout: 60_000 } },
    ],
  },
});
