// Packages written for Node.js in a browser, as bundlers do it but without changing a byte of them:
// every file becomes a function of a small module system.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

/** A script that sets the global `name` to what a package exports. */
export function browserScript(name, specifier, from) {
  const files = new Map();
  const entry = collect(files, resolve(specifier, from));
  const table = [...files].map(([file, { source, links }]) => {
    const body = file.endsWith(".json") ? `module.exports = ${source};` : source;
    const wrapped = `function (module, exports, require, process) {\n${body}\n}`;
    return `${JSON.stringify(file)}: [${wrapped}, ${JSON.stringify(links)}]`;
  });
  return `globalThis.${name} = (() => {
    const files = {${table.join(",\n")}};
    const loaded = {};
    const load = (file) => {
      if (!loaded[file]) {
        const module = (loaded[file] = { exports: {} });
        const [run, links] = files[file];
        run.call(module.exports, module, module.exports, (name) => load(links[name]), { env: {} });
      }
      return loaded[file].exports;
    };
    return load(${JSON.stringify(entry)});
  })();`;
}

function collect(files, file) {
  if (files.has(file)) return file;
  const source = readFileSync(file, "utf8");
  const links = {};
  files.set(file, { source, links });
  if (file.endsWith(".json")) return file;
  for (const [, specifier] of source.matchAll(/\brequire\(\s*['"]([^'"]+)['"]\s*\)/g)) {
    links[specifier] = collect(files, resolve(specifier, file));
  }
  return file;
}

function resolve(specifier, from) {
  const { resolve: find, resolve: { paths } } = createRequire(from);
  if (specifier.startsWith(".")) return find(specifier);
  // The trailing slash means the package, not Node.js's own module of that name.
  const [, name, inside] = specifier.match(/^((?:@[^/]+\/)?[^/]+)(\/.*)?$/);
  if (inside) return find(specifier);
  for (const folder of paths(`${name}/`)) {
    const root = path.join(folder, name);
    const described = readDescription(root);
    if (!described) continue;
    const { browser, main } = described;
    return find(path.join(root, typeof browser === "string" ? browser : (main ?? "index.js")));
  }
  throw new Error(`no package ${name} for ${from}`);
}

function readDescription(root) {
  try {
    return JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  } catch {
    return undefined;
  }
}
