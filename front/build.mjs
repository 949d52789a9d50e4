// Bundles the front end into the folder that it is told: files with hashes in their names, and manifest.json, which says
// which file has which name. `hatch_build.py` runs it.
import { build } from "esbuild";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";

const out = process.argv[2];
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const { metafile } = await build({
  entryPoints: ["src/app.js", "src/app.css", "src/charts.css", "src/service-worker.js"],
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  splitting: true,
  target: ["es2022", "chrome111", "firefox113", "safari16.4"],
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  legalComments: "linked",
  metafile: true,
});
const names = {};
for (const [path, output] of Object.entries(metafile.outputs)) {
  if (output.entryPoint) names[basename(output.entryPoint)] = basename(path);
}
await writeFile(`${out}/manifest.json`, `${JSON.stringify(names, null, 1)}\n`);
