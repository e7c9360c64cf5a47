import { fileURLToPath } from "node:url";
import { defineConfig } from "tsup";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

// Straight into Django's static files, where the committed copy is served from; `npm run page:check` compares it.
export default defineConfig({
  entry: { page: "src/main.ts", verify: "src/verify/index.ts" },
  splitting: false, // each file is loaded by itself
  outDir: process.env.PAGE_OUT ?? path("../../distributions/static/hosted"),
  format: "esm",
  target: "es2022",
  minify: true,
  silent: true,
  noExternal: [/.*/],
  esbuildOptions: (options) => {
    options.alias = { "@fanfare/sdk-core": path("../core/src/index.ts") };
    options.legalComments = "none";
  },
});
