// Nine people in one mix: eight with test pictures, and one at the demo page with a camera. Somebody
// watches the mix in two codecs and two sizes at once, and an operator looks at the room.

import assert from "node:assert/strict";
import { checkpoint, within } from "../run.mjs";
import { pictureWithColour, signIn } from "./dashboard.mjs";

// The fake camera's picture is green; nobody else's is.
const CAMERA_HUE = 120;
const CROWD = [
  { name: "Alan Turing", hue: 28 },
  { name: "Grace Hopper", hue: 355 },
  { name: "Edsger Dijkstra", hue: 205 },
  { name: "Barbara Liskov", hue: 280 },
  { name: "Donald Knuth", hue: 50 },
  { name: "Radia Perlman", hue: 320 },
  { name: "Tony Hoare", hue: 240 },
  { name: "Frances Allen", hue: 178 },
];
const FULL = { width: 1280, height: 720 };
const HALF = { width: 640, height: 360 };
const FRAMES = 30;
// Nine encoders, as many decoders and the mixer's share two cores.
const DEADLINE_MS = 60_000;

export async function nine(open, id, key, pageScreenshot, mixScreenshot, dashboardScreenshot) {
  const desktop = { viewport: { width: 1440, height: 900 } };
  const ada = await open("/?autojoin=1&name=Ada%20Lovelace", desktop);
  await ada.locator("#stage").waitFor();
  await ada.waitForFunction(() => portico.streams.size === 2);
  const crowd = await open("/");
  for (const person of CROWD) await within(`publication of ${person.name}`, appear(crowd, person));
  await ada.waitForFunction(() => {
    const view = [...portico.streams.values()].find(({ type }) => type === "mixed");
    return view.info.layout.filter(({ stream }) => stream).length === 9;
  });
  await ada.waitForFunction(() => document.querySelectorAll(".tile").length === 9);

  const places = [0, 1, 2].flatMap((row) => [0, 1, 2].map((column) => {
    return [column / 3 + 0.02, row / 3 + 0.15];
  }));
  const hues = [CAMERA_HUE, ...CROWD.map(({ hue }) => hue)];
  await expectHues(ada, "probes.mixed(portico)", places, hues);
  await ada.evaluate(() => Promise.all(
    probes.received(portico, "forward").map((session) => probes.moreFrames(session, 5)),
  ));
  await ada.screenshot({ path: pageScreenshot });
  await ada.locator(".stage-picture").screenshot({ path: mixScreenshot });

  const received = await watch(crowd, places, hues);
  await operate(open, id, key, dashboardScreenshot);
  await checkpoint("nine");
  return { scenario: "nine", received };
}

/** Joins, and publishes a picture of one's own. */
function appear(page, person) {
  return page.evaluate(async ({ name, hue }) => {
    const { PorticoClient } = await import("/demo/portico-client.js");
    const { openTestSource } = await import("/demo/source.js");
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ room: "demo", user: name });
    const response = await fetch("/demo/token", { method: "POST", headers, body });
    const client = new PorticoClient({ io, url: location.origin });
    await client.join((await response.json()).token);
    const { mediaStream } = openTestSource({ name, hue });
    await client.publish(mediaStream, { attributes: { name } });
    globalThis.watcher = client;
  }, person);
}

/** All at once, by one of the crowd; yields what arrives. */
async function watch(page, places, hues) {
  const wishes = [
    { codec: "vp8", resolution: FULL },
    { codec: "h264", resolution: FULL },
    { codec: "vp8", resolution: HALF },
    { codec: "h264", resolution: HALF },
  ];
  // A page in the background is shown few frames.
  await page.bringToFront();
  const watching = page.evaluate(async (wanted) => {
    globalThis.watched = await Promise.all(
      wanted.map((wish) => watcher.subscribe({ video: "demo-common" }, wish)),
    );
  }, wishes);
  await within("four subscriptions", watching);
  const seen = page.evaluate(async (frames) => {
    return Promise.all(
      watched.map(async (session) => {
        await probes.moreFrames(session, frames);
        const { codec, frameWidth, frameHeight } = await probes.inbound(session, "video");
        return `${codec.replace("video/", "").toLowerCase()} ${frameWidth}x${frameHeight}`;
      }),
    );
  }, FRAMES);
  const received = await within(`${FRAMES} frames of each`, seen, DEADLINE_MS);
  for (const at of wishes.keys()) await expectHues(page, `watched[${at}]`, places, hues);
  return received;
}

async function expectHues(page, session, places, hues) {
  const turn = page.evaluate(
    ([places, hues, session]) => probes.huesTurn(session, places, hues),
    [places, hues, await page.evaluateHandle(session)],
  );
  try {
    await within(`nine colours in ${session}`, turn, DEADLINE_MS);
  } catch (error) {
    const seen = await page.evaluate(`${session}.probeSeen`);
    throw new Error(`${error.message}: ${JSON.stringify(seen)} instead of ${JSON.stringify(hues)}`);
  }
}

async function operate(open, id, key, screenshot) {
  const page = await open("/admin", { viewport: { width: 1440, height: 1200 } });
  await signIn(page, id, key);
  await page.getByRole("link", { name: /demo 9 participants, 9 streams/ }).click();
  const room = page.locator("#room");
  for (const { name } of CROWD) await room.locator(".region", { hasText: name }).waitFor();
  assert.equal(await room.locator(".people li").count(), 9);
  await within("a picture of the view", page.evaluate(pictureWithColour));
  await page.screenshot({ path: screenshot, fullPage: true });
}
