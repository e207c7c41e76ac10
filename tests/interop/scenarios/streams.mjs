// Several publishers and subscribers through the demo page's client alone. Every publisher has a
// colour and a tone of its own, so that a subscriber that gets another's media is found out.

import assert from "node:assert/strict";
import { within } from "../run.mjs";

const PUBLISHERS = [
  { name: "red", hue: 0, toneHz: 440 },
  { name: "blue", hue: 225, toneHz: 660 },
];
const HUE_TOLERANCE = 15;
// Two bins of the analyser.
const TONE_TOLERANCE_HZ = 12;

/** Two publishers and three subscribers at once; then one publisher stops. */
export async function crowd(open, ...tokens) {
  const members = await joinAll(open, tokens, 5);
  const [early, red, blue, ...late] = members;
  const streams = [await publish(red, PUBLISHERS[0]), await publish(blue, PUBLISHERS[1])];
  const subscribers = [early, ...late];
  await Promise.all(subscribers.map((page) => watchStreams(page, streams)));
  await Promise.all(
    subscribers.flatMap((page) =>
      streams.map((stream, index) => {
        return expectSource(page, stream, PUBLISHERS[index], PUBLISHERS[index]);
      }),
    ),
  );

  await red.evaluate((id) => client.unpublish(id), streams[0]);
  await Promise.all(subscribers.map((page) => expectOneEnd(page, streams[0], streams[1])));
  return { scenario: "crowd", subscriptions: subscribers.length * streams.length };
}

/** One subscription with the audio of one stream and the video of another, and the reverse. */
export async function cross(open, ...tokens) {
  const [red, blue, watcher] = await joinAll(open, tokens, 3);
  const a = await publish(red, PUBLISHERS[0]);
  const b = await publish(blue, PUBLISHERS[1]);
  await subscribe(watcher, "first", { audio: a, video: b });
  await subscribe(watcher, "second", { audio: b, video: a });
  await expectSource(watcher, "first", PUBLISHERS[1], PUBLISHERS[0]);
  await expectSource(watcher, "second", PUBLISHERS[0], PUBLISHERS[1]);
  return { scenario: "cross", subscriptions: 2 };
}

export async function joinAll(open, tokens, count) {
  assert.equal(tokens.length, count, "one token for each participant");
  const pages = [];
  for (const token of tokens) pages.push(await openOwt(open, token, ["session-end"]));
  return pages;
}

/** A page in the room of a token by the OWT door, whose `client` records these events. */
export async function openOwt(open, token, events) {
  const page = await open("/");
  await page.evaluate(
    async ([credential, recorded]) => {
      const { PorticoClient } = await import("/demo/portico-client.js");
      globalThis.client = new PorticoClient({ io, url: location.origin });
      globalThis.sessions = {};
      probes.record(client, recorded);
      await client.join(credential);
    },
    [token, events],
  );
  return page;
}

async function publish(page, source) {
  const published = page.evaluate(async (options) => {
    const { openTestSource } = await import("/demo/source.js");
    const { id } = await client.publish(openTestSource(options).mediaStream);
    return id;
  }, source);
  return within(`publication of ${source.name}`, published);
}

async function watchStreams(page, streams) {
  await page.waitForFunction((ids) => ids.every((id) => client.streams.has(id)), streams);
  for (const stream of streams) await subscribe(page, stream, { audio: stream, video: stream });
}

// Keeps the session under a name of the test's choice.
export async function subscribe(page, name, from, wish) {
  const subscribed = page.evaluate(
    async ([key, ...wanted]) => {
      sessions[key] = await client.subscribe(...wanted);
    },
    [name, from, wish],
  );
  await within(`subscription ${name}`, subscribed);
}

async function expectSource(page, name, picture, sound) {
  const moving = page.evaluate((key) => probes.moreFrames(sessions[key], 10), name);
  await within(`frames of ${picture.name}`, moving);
  const hue = await within("a frame", page.evaluate((key) => probes.cornerHue(sessions[key]), name));
  const distance = Math.abs(((hue - picture.hue + 540) % 360) - 180);
  assert.ok(hue !== null && distance <= HUE_TOLERANCE, `saw hue ${hue}, not ${picture.name}`);
  const toneHz = await within("a tone", page.evaluate((key) => probes.pitchHz(sessions[key]), name));
  assert.ok(
    Math.abs(toneHz - sound.toneHz) <= TONE_TOLERANCE_HZ,
    `heard ${toneHz} Hz, not ${sound.toneHz} Hz of ${sound.name}`,
  );
}

async function expectOneEnd(page, ended, going) {
  await page.waitForFunction(() => client.probeRecord.length > 0);
  const told = await page.evaluate(
    (key) =>
      client.probeRecord.map(([, { session, reason }]) => [session === sessions[key], reason]),
    ended,
  );
  assert.deepEqual(told, [[true, "Source stream loss"]]);
  const still = page.evaluate((key) => probes.moreFrames(sessions[key], 10), going);
  await within("frames of the other stream", still);
}
