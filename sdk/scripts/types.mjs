// The SDK's types, from what the running code says of itself: `core/src/schema.ts` (every body and answer) and
// `core/src/codes.ts` (every error code). `--check` writes nothing and fails where the committed files differ.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const root = new URL("../../", import.meta.url);
const source = new URL("../core/src/", import.meta.url);
const python = process.env.PYTHON ?? new URL(".venv/bin/python", root).pathname;

/** The description as `manage.py openapi` prints it; the settings insist on a key, which nothing is signed with. */
function describe() {
  const env = { FANFARE_SECRET_KEY: "for-checks-only-never-signs-anything", FANFARE_DB_POOL: "0", ...process.env };
  const printed = execFileSync(python, ["manage.py", "openapi"], { cwd: root, env, maxBuffer: 64 << 20 });
  return JSON.parse(printed.toString());
}

/** The codes that any operation's refusals name as examples. */
function codesOf(document) {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  const contents = operations.flatMap(({ responses = {} }) => Object.values(responses).map(({ content }) => content));
  const names = contents.flatMap((content) => Object.keys(content?.["application/json"]?.examples ?? {}));
  return [...new Set(names)].sort();
}

const NOTE = "// Made by `npm run types` from the API's own description. Not to be edited.\n";

async function generate() {
  const document = describe();
  const schema = astToString(await openapiTS({ ...document, paths: {} })); // bodies and answers; calls are written by hand
  const union = codesOf(document).map((code) => `  | "${code}"`);
  return {
    "schema.ts": `${NOTE}/* eslint-disable */\n${schema}`,
    "codes.ts": `${NOTE}\n/** Every code that the API's description names. */\nexport type ApiCode =\n${union.join("\n")};\n`,
  };
}

const made = await generate();
if (process.argv.includes("--check")) {
  const differing = Object.keys(made).filter((name) => readFileSync(new URL(name, source), "utf8") !== made[name]);
  if (differing.length > 0) {
    console.error(`sdk/core/src: ${differing.join(", ")} and the API's description part ways. Run: npm run types`);
    process.exit(1);
  }
} else {
  for (const [name, text] of Object.entries(made)) writeFileSync(new URL(name, source), text);
}
