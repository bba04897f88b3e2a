// Runs the program.py of a folder in Pyodide: node run.mjs PACKAGE FOLDER
// The program finds the folder as /request, and in environment.json what its environment holds.

import { readFileSync } from "node:fs";
import { join } from "node:path";

const [name, folder] = process.argv.slice(2);

try {
  const { loadPyodide } = await import(name);
  const env = JSON.parse(readFileSync(join(folder, "environment.json"), "utf8"));
  const pyodide = await loadPyodide({ env: { HOME: "/home/pyodide", ...env } });
  pyodide.FS.mkdirTree("/request");
  pyodide.mountNodeFS("/request", folder);
  await pyodide.runPythonAsync(readFileSync(join(folder, "program.py"), "utf8"));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
