// Fails where the committed scripts of the hosted pages aren't what their sources build: `npm run page` builds them.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const committed = new URL("../../distributions/static/hosted/", import.meta.url);
const made = mkdtempSync(join(tmpdir(), "page-"));
try {
  execFileSync("npm", ["run", "--silent", "bundle", "--workspace", "page"], {
    cwd: new URL("..", import.meta.url),
    env: { ...process.env, PAGE_OUT: made },
    stdio: "inherit",
  });
  const altcha = ["altcha/altcha.js", "altcha/altcha.css", "altcha/pbkdf2.js"];
  for (const name of ["page.js", "thumbmark.js", "verify.js", ...altcha]) {
    if (readFileSync(join(made, name), "utf8") === readFileSync(new URL(name, committed), "utf8")) continue;
    console.error(`distributions/static/hosted/${name} is not what its source builds. Run: npm run page`);
    process.exitCode = 1;
  }
} finally {
  rmSync(made, { recursive: true });
}
