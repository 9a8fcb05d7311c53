// node run.mjs NODE_MODULES NUMPY SITE_PACKAGES SOURCE < cells.json
//
// Runs the cells of one notebook with Python and NumPy in WebAssembly, as cells.py says.
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [modules, numpy, packages, source] = process.argv.slice(2);
const core = `${modules}/pyodide`;

const { loadPyodide } = await import(pathToFileURL(`${core}/pyodide.mjs`));
const python = await loadPyodide({ indexURL: core });
const folders = { numpy, source, stand_ins: `${dirname(fileURLToPath(import.meta.url))}/stand_ins` };
for (const name of ["sympy", "mpmath", "sklearn/datasets/data"]) folders[`pure/${name}`] = `${packages}/${name}`;
for (const [name, root] of Object.entries(folders)) {
  python.FS.mkdirTree(`/${name}`);
  python.FS.mount(python.FS.filesystems.NODEFS, { root }, `/${name}`);
}
const threads = "threadpoolctl.py";
python.FS.writeFile(`/pure/${threads}`, readFileSync(`${packages}/${threads}`));
python.globals.set("cells", readFileSync(0, "utf8"));
console.log(python.runPython(readFileSync(new URL("cells.py", import.meta.url), "utf8")));
