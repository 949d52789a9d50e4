// Bundle what the pages load into the folder that is named as the only argument, and write its manifest.json.
//
// Styles come first, for charts.js names its style sheet by the address that it then has.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";

const folder = process.argv[2];
const manifest = {};

async function bundle(entryPoints, options = {}) {
  const { metafile } = await build({
    entryPoints,
    outdir: folder,
    bundle: true,
    minify: true,
    metafile: true,
    legalComments: "none", // the licences of what is bundled lie beside it as a whole
    target: ["chrome109", "firefox115", "safari16.4"],
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    loader: { ".svg": "copy", ".png": "copy", ".ico": "copy", ".webp": "copy", ".woff2": "copy" },
    logLevel: "warning",
    ...options,
  });
  for (const [output, { entryPoint }] of Object.entries(metafile.outputs)) {
    if (entryPoint) manifest[path.basename(entryPoint)] = path.basename(output);
  }
}

const assets = readdirSync("assets").filter((name) => !name.startsWith(".") && name !== "README.md");
await bundle([...assets.map((name) => `assets/${name}`), "src/app.css", "src/console.css", "src/charts.css"]);
await bundle(["src/app.js", "src/console.js", "src/charts.js"], {
  format: "esm",
  splitting: true,
  define: { CHARTS_CSS: JSON.stringify(`./${manifest["charts.css"]}`) },
});
await bundle(["src/service-worker.js"], { format: "iife" }); // by itself: it is no part of a page

const licences = ["htmx.org", "uplot"].map((name) => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8")}`);
writeFileSync(path.join(folder, "licences.txt"), licences.join("\n\n"));
const names = Object.fromEntries(Object.entries(manifest).sort());
writeFileSync(path.join(folder, "manifest.json"), `${JSON.stringify(names, null, 2)}\n`);
