// Chromium with a fake camera (moving picture) and microphone (beeps), and pages in it that behave
// as on different machines.

import { chromium } from "playwright-core";

const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";
const ACTION_DEADLINE_MS = 20_000;
const ARGUMENTS = [
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
  "--autoplay-policy=no-user-gesture-required",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  // Everything that would look for hosts elsewhere.
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Several pages at once are all in the background but one.
  "--disable-renderer-backgrounding",
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  // The sandbox refuses to start as root, as which CI runs.
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];

/**
 * Runs `act` with an `open(path, options)` that gives a new page of a new profile. An error that a
 * page logs or throws fails the run, unless the option `tolerates` matches what it logs.
 */
export async function withBrowser(url, act) {
  const errors = [];
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS });
  const open = async (path, { tolerates, ...options } = {}) => {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      ...options,
    });
    context.setDefaultTimeout(ACTION_DEADLINE_MS);
    await context.addInitScript({ path: new URL("probes.js", import.meta.url).pathname });
    const page = await context.newPage();
    page.on("console", (message) => {
      console.error(`${path}: ${message.text()}`);
      const tolerated = tolerates?.test(message.text());
      if (message.type() === "error" && !tolerated) errors.push(message.text());
    });
    page.on("pageerror", (error) => errors.push(error.stack));
    await page.goto(new URL(path, url).href);
    return page;
  };
  try {
    const result = await act(open);
    if (errors.length > 0) throw new Error(`errors in a page: ${errors.join("; ")}`);
    return result;
  } finally {
    await browser.close();
  }
}
