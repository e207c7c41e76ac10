// TypeScript's compiler over the types that client developers import, the demo page that uses them,
// and messages that a server really sent:
//
//   node types.mjs SAMPLES.json
//
// SAMPLES.json has a list of {name, type, value}: the value must be one of that type, which is
// written as TypeScript with the module's names as members of `portico`. Prints one line of JSON.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { runReporting } from "./run.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const WEB = path.join(HERE, "../../web");
const TYPES = path.join(WEB, "types/portico");
const COMPILER = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const COMMON = ["--noEmit", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"];
const BROWSER = ["--lib", "es2022,dom,dom.iterable"];

await runReporting(async ([samplesFile]) => {
  const samples = JSON.parse(readFileSync(samplesFile, "utf8"));
  const folder = mkdtempSync(path.join(tmpdir(), "portico-types-"));
  try {
    const strict = [...COMMON, "--strict", "--lib", "es2022"];
    const write = (name, text) => {
      const file = path.join(folder, name);
      writeFileSync(file, text);
      return file;
    };
    compile([...strict, `${TYPES}.d.ts`, path.join(HERE, "types/usage.ts")]);
    compile([...strict, write("samples.ts", program(samples))]);
    // What the samples show would be nothing if the compiler took anything.
    const broken = samples.map(({ value, ...sample }) => ({ ...sample, value: spoil(value) }));
    const refused = refusals([...strict, write("broken.ts", program(broken))]);
    assert.equal(refused, samples.length, "every spoilt sample is refused");
    compile([...COMMON, ...BROWSER, "--allowJs", path.join(WEB, "demo/portico-client.js")]);
    return { samples: samples.length };
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function compile(options) {
  try {
    execFileSync(process.execPath, [COMPILER, ...options], { encoding: "utf8" });
  } catch ({ stdout, message }) {
    throw new Error(stdout || message);
  }
}

/** In how many lines the compiler finds something wrong. */
function refusals(options) {
  try {
    compile(options);
    return 0;
  } catch ({ message }) {
    return new Set(message.match(/broken\.ts\(\d+,/g)).size;
  }
}

function program(samples) {
  const checks = samples.map(({ name, type, value }) => {
    return `// ${name}\n((sample: ${type}) => sample)(${JSON.stringify(value)});`;
  });
  return `import type * as portico from ${JSON.stringify(TYPES)};\n${checks.join("\n")}\n`;
}

/** The same with a member that no message has, or of another type altogether. */
function spoil(value) {
  return typeof value === "object" && value !== null ? { ...value, unheardOf: 1 } : { value };
}
