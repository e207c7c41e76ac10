// What people do with the demo page and its client, in a real browser against a real server.
//
//   node chromium.mjs meeting URL vp8|h264|vp9|av1 [SCREENSHOT.png]
//   node chromium.mjs crowd   URL TOKEN TOKEN TOKEN TOKEN TOKEN
//   node chromium.mjs cross   URL TOKEN TOKEN TOKEN
//
// `meeting` uses the demo room; the others use one token for each participant, all of one room and
// of role presenter. Prints one line of JSON; exits with 0 only if everything was as expected.

import { withBrowser } from "./browser.mjs";
import { runReporting } from "./run.mjs";
import { meeting } from "./scenarios/meeting.mjs";
import { cross, crowd } from "./scenarios/streams.mjs";

const SCENARIOS = { meeting, crowd, cross };

await runReporting(async ([name, url, ...rest]) => {
  const scenario = SCENARIOS[name];
  if (!scenario) throw new Error(`unknown scenario ${name}`);
  return withBrowser(url, (open) => scenario(open, ...rest));
});
