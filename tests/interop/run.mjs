// How the scripts of this folder wait and report.

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
