// Bundle the report's script, and cut its coastlines from world-atlas (Natural Earth, public domain).
import { build } from "esbuild";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { mesh } from "topojson-client";

const out = process.argv[2];
await mkdir(out, { recursive: true });

const made = await build({
  entryPoints: ["src/report.js"],
  outfile: `${out}/report.js`,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
});

// Coastlines as pieces of longitude, latitude, longitude, ..., two decimals (1 km), without the false edges along 180
// degrees where the polygons were cut.
async function coast(file) {
  const atlas = JSON.parse(await readFile(`node_modules/world-atlas/${file}`, "utf8"));
  const pieces = [];
  for (const line of mesh(atlas, atlas.objects.land).coordinates) {
    let piece = [];
    for (const [lon, lat] of line) {
      const edge = Math.abs(lon) > 179.99;
      const jump = piece.length && Math.abs(piece.at(-2) - lon) > 180;
      if (edge || jump) {
        if (piece.length > 2) pieces.push(piece);
        piece = [];
      }
      if (!edge) piece.push(Math.round(lon * 100) / 100, Math.round(lat * 100) / 100);
    }
    if (piece.length > 2) pieces.push(piece);
  }
  return pieces;
}
await writeFile(`${out}/coast.json`, JSON.stringify(await coast("land-50m.json")));

// Every package that went into the bundle, with its licence.
const names = new Set(["world-atlas"]);
for (const input of Object.keys(made.metafile.inputs)) {
  const match = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/);
  if (match) names.add(match[1]);
}
const notices = [];
for (const name of [...names].sort()) {
  const about = JSON.parse(await readFile(`node_modules/${name}/package.json`, "utf8"));
  let text = "";
  for (const file of ["LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE"]) {
    text = await readFile(`node_modules/${name}/${file}`, "utf8").catch(() => text);
    if (text) break;
  }
  notices.push(`${name} ${about.version} (${about.license})\n\n${text.trim()}\n`);
}
await writeFile(`${out}/THIRD_PARTY_LICENSES.txt`, notices.join("\n" + "-".repeat(100) + "\n"));
