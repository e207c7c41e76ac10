// What people do with the demo page and its client, in a real browser against a real server.
//
//   node chromium.mjs meeting URL vp8|h264|vp9|av1 [SCREENSHOT.png]
//   node chromium.mjs dashboard URL SERVICE-ID KEY [SCREENSHOT.png]
//   node chromium.mjs stage URL DESKTOP.png PHONE.png
//   node chromium.mjs comeback URL
//   node chromium.mjs nine URL SERVICE-ID KEY PAGE.png MIX.png DASHBOARD.png
//   node chromium.mjs crowd   URL TOKEN TOKEN TOKEN TOKEN TOKEN
//   node chromium.mjs cross   URL TOKEN TOKEN TOKEN
//   node chromium.mjs offered URL
//   node chromium.mjs live    URL PLAYLIST-URL
//   node chromium.mjs signals URL TOKEN_ANN TOKEN_BOB TOKEN_CAT TOKEN_OLGA
//   node chromium.mjs call    URL TOKEN_ANN TOKEN_BOB
//   node chromium.mjs simulcast URL vp8|h264 TOKEN TOKEN TOKEN
//   node chromium.mjs protoo  URL TOKEN_ADA TOKEN_BOB TOKEN_OLGA TOKEN_ADA
//   node chromium.mjs versions URL TOKEN TOKEN
//
// `offered` talks to a bare media plane; `meeting`, `dashboard`, `stage`, `comeback` and `nine` use
// the demo room; the others use one token for each participant, all of
// one room and of role presenter (in `protoo`, `signals` and `call` all of the room `studio`, of the users named). Prints
// one line of JSON; exits with 0 only if everything was as expected.

import { withBrowser } from "./browser.mjs";
import { runReporting } from "./run.mjs";
import { comeback } from "./scenarios/comeback.mjs";
import { dashboard } from "./scenarios/dashboard.mjs";
import { live } from "./scenarios/live.mjs";
import { meeting } from "./scenarios/meeting.mjs";
import { nine } from "./scenarios/nine.mjs";
import { offered } from "./scenarios/offered.mjs";
import { protoo } from "./scenarios/protoo.mjs";
import { call, signals } from "./scenarios/signals.mjs";
import { simulcast } from "./scenarios/simulcast.mjs";
import { stage } from "./scenarios/stage.mjs";
import { cross, crowd } from "./scenarios/streams.mjs";
import { versions } from "./scenarios/versions.mjs";

const SCENARIOS = {
  call,
  comeback,
  cross,
  crowd,
  dashboard,
  live,
  meeting,
  nine,
  offered,
  protoo,
  signals,
  simulcast,
  stage,
  versions,
};

await runReporting(async ([name, url, ...rest]) => {
  const scenario = SCENARIOS[name];
  if (!scenario) throw new Error(`unknown scenario ${name}`);
  return withBrowser(url, (open) => scenario(open, ...rest));
});
