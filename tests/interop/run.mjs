// How the scripts of this folder wait and report.

import { once } from "node:events";

const DEADLINE_MS = 20_000;

/** A promise's value, or an error that names what was awaited instead of waiting for ever. */
export async function within(what, promise, deadlineMs = DEADLINE_MS) {
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${deadlineMs} ms: ${what}`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a script's `main` with its arguments; one JSON line tells the result, the exit code too. */
export async function runReporting(main) {
  try {
    const result = await main(process.argv.slice(2));
    console.log(JSON.stringify({ ok: true, ...result }));
    process.exit(0);
  } catch (error) {
    console.error(error.stack);
    console.log(JSON.stringify({ ok: false, error: error.message }));
    process.exit(1);
  }
}

/** Tells the test that a place is reached, and waits until it says to go on. */
export async function checkpoint(place) {
  console.log(place);
  process.stdin.resume();
  await within(`the test's word after "${place}"`, once(process.stdin, "data"));
  process.stdin.pause();
}
