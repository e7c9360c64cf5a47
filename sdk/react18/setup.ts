/** Has whoever asks for React get version 18, testing-library included. */

import Module from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

type Resolve = (request: string, ...rest: unknown[]) => string;

const own = `${dirname(fileURLToPath(import.meta.url))}/node_modules/`;
const hooked = Module as unknown as { _resolveFilename: Resolve };
const before = hooked._resolveFilename;
hooked._resolveFilename = (request, ...rest) =>
  before(/^react(-dom)?(\/|$)/.test(request) ? own + request : request, ...rest);
