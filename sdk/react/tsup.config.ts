import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/index.ts"],
  format: "esm",
  target: "es2022",
  dts: true,
  clean: true,
  sourcemap: true,
  banner: { js: '"use client";' }, // hooks: for bundlers that part server from client components
  silent: true,
});
