// Makes the built component loadable by Node, into component/.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

import { transpileBytes } from "@bytecodealliance/jco-transpile";

const BUILT = "../target/component/wasm32-wasip2/release/quotaline_zed.wasm";
const FOLDER = "component";

const { files } = await transpileBytes(await readFile(BUILT), {
  name: "quotaline_zed",
  instantiation: "async",
  wasiShim: false,
  outDir: FOLDER,
});
await rm(FOLDER, { recursive: true, force: true });
for (const [name, content] of Object.entries(files)) {
  await mkdir(dirname(name), { recursive: true });
  await writeFile(name, content);
}
