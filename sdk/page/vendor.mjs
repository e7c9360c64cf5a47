/** ThumbmarkJS as its package brings it, with its licence at its head, beside the page's own script. */

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const out = process.env.PAGE_OUT ?? new URL("../../distributions/static/hosted", import.meta.url).pathname;
const folder = dirname(dirname(createRequire(import.meta.url).resolve("@thumbmarkjs/thumbmarkjs")));
const read = (name) => readFileSync(join(folder, name), "utf8");
const { name, version } = JSON.parse(read("package.json"));
const code = read("dist/thumbmark.esm.js").replace(/\n?\/\/# sourceMappingURL=.*\n?$/, "\n");
writeFileSync(join(out, "thumbmark.js"), `/*! ${name} ${version}\n\n${read("LICENSE").trim()}\n*/\n${code}`);
