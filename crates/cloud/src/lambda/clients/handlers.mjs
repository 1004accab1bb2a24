// Says of handlers what can be known without running them: a file that is not there, a syntax error, a missing name.
//
// Standard input has a JSON list, for each handler `name`, as `module.function`, and the `folders` that it is looked for in.
// Standard output gets a list of as many texts, with null for what nothing can be said against.

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

// What makes exports that no reader of the code can see.
const HIDDEN = /\bexport\s*\*|\bmodule\.exports\s*=\s*[^{\s]|\.\.\.|\bObject\.|\bexports?\s*\[|\b__export/;

function lack({ name, folders }) {
  const [, base, names] = path.basename(name).match(/^([^.]*)\.(.+)$/) ?? [];
  if (base === undefined || name.includes("..")) {
    return `its handler is \`${name}\`, and must be \`module.function\``;
  }
  const module = path.join(path.dirname(name), base);
  const file = find(module, folders);
  if (file === undefined) {
    return `its handler is \`${name}\`, and there is no ${path.join(folders[0], module)}.js, .mjs or .cjs`;
  }
  const { status, stderr } = spawnSync(process.execPath, ["--check", file], { encoding: "utf8" });
  if (status !== 0) {
    const lines = stderr.split("\n");
    return `${lines[0]}: ${lines.find((line) => line.startsWith("SyntaxError")) ?? "it is no JavaScript"}`;
  }
  const text = fs.readFileSync(file, "utf8");
  const exported = names.split(".")[0];
  const isNamed = text.split(/[^\w$]+/).includes(exported);
  return isNamed || HIDDEN.test(text) ? null : `its handler is \`${name}\`, and ${file} has no \`${exported}\``;
}

function find(module, folders) {
  const candidates = folders.flatMap((folder) =>
    ["", ".js", ".mjs", ".cjs"].map((extension) => path.join(folder, module + extension)),
  );
  return candidates.find((file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile());
}

process.stdout.write(JSON.stringify(JSON.parse(fs.readFileSync(0, "utf8")).map(lack)));
