/** What others made, as its packages bring it, with its licence at its head, beside the page's own script. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const out = process.env.PAGE_OUT ?? new URL("../../distributions/static/hosted", import.meta.url).pathname;
const { resolve } = createRequire(import.meta.url);

/** `files`: by the name here, the name in the package, whose root is `up` folders above its main file. */
function vendor(packageName, up, licence, files) {
  const above = Array.from({ length: up + 1 }, () => "..");
  const folder = join(resolve(packageName), ...above);
  const read = (name) => readFileSync(join(folder, name), "utf8");
  const { name, version } = JSON.parse(read("package.json"));
  for (const [here, there] of Object.entries(files)) {
    const code = read(there).replace(/\n?\/\/# sourceMappingURL=.*\n?$/, "\n");
    mkdirSync(dirname(join(out, here)), { recursive: true });
    writeFileSync(join(out, here), `/*! ${name} ${version}\n\n${read(licence).trim()}\n*/\n${code}`);
  }
}

vendor("@thumbmarkjs/thumbmarkjs", 1, "LICENSE", { "thumbmark.js": "dist/thumbmark.esm.js" });
// Loaded only where entering costs a proof of work. These parts keep to a strict policy: no style or worker inside.
vendor("altcha", 2, "LICENSE.txt", {
  "altcha/altcha.js": "dist/external/altcha.min.js",
  "altcha/altcha.css": "dist/external/altcha.css",
  "altcha/pbkdf2.js": "dist/workers/pbkdf2.js",
});
