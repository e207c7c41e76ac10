// A page that speaks protocol 1.1 (the demo page's client, a peer connection for each session) and
// one that speaks 1.2 (one for all) in one room. They see each other, through changes of what is
// published, a cut of the network and a restart of the server.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { checkpoint, within } from "../run.mjs";

const HUE_TOLERANCE = 15;
const FRAMES = 10;
const HUES = { red: 0, green: 120, blue: 225, camera: 300, screen: 60 };
// The browser itself logs that it cannot connect, for a while, on purpose.
const TOLERATED = /^(Failed to load resource|WebSocket connection|Access to XMLHttpRequest)/;
const SINGLE_PEER = readFileSync(new URL("../pages/single-peer.js", import.meta.url), "utf8");

/** Tokens of one room for the page of each version. */
export async function versions(open, olderToken, newerToken) {
  const older = await openOlder(open, olderToken);
  const newer = await openNewer(open, newerToken);
  await publishOlder(older);
  await publishNewer(newer, "camera", { audio: "mic", video: "camera" });
  await publishNewer(newer, "screen", { video: "screen-cast" });
  await watchAll(older, newer);
  await seeAll(older, newer);
  await changeScreens(older, newer);

  const before = await Promise.all([older, newer].map(present));
  await checkpoint("met");
  await Promise.all([older, newer].map((page) => page.waitForFunction(() => interrupts > resumes)));
  // Media needs no connection with the portal, neither while it is lost nor afterwards.
  await seeAll(older, newer);
  await checkpoint("cut");
  await Promise.all([older, newer].map(returned));
  assert.deepEqual(await Promise.all([older, newer].map(present)), before, "the same sessions");
  await seeAll(older, newer);
  await talk(older, newer);

  await checkpoint("back");
  await Promise.all([older, newer].map((page) => page.waitForFunction(() => lost() >= 5)));
  await Promise.all([older, newer].map(returned));
  const ids = await Promise.all([older, newer].map(present));
  assert.deepEqual(ids.map(({ id }) => id), before.map(({ id }) => id), "the same participants");
  const reasons = await newer.evaluate(() => client.ended);
  assert.deepEqual(new Set(reasons), new Set(["Source stream loss", "Server restarted"]));
  await newer.evaluate(() => client.renew());
  await publishOlder(older);
  await publishNewer(newer, "camera", { audio: "mic", video: "camera" });
  await publishNewer(newer, "screen", { video: "screen-cast" });
  await watchAll(older, newer);
  await seeAll(older, newer);
  await talk(newer, older);
  return { scenario: "versions", seen: 5 };
}

async function openOlder(open, token) {
  const page = await open("/", { tolerates: TOLERATED });
  const joining = page.evaluate(async (credential) => {
    const { PorticoClient } = await import("/demo/portico-client.js");
    globalThis.client = new PorticoClient({ io, url: location.origin });
    await client.join(credential);
    globalThis.ends = 0;
    client.addEventListener("session-end", () => ends++);
    globalThis.lost = () => ends;
    globalThis.say = (message) => client.sendText("all", message);
    globalThis.watch = (name, id) => client.subscribe({ video: id, audio: hasAudio(name) && id });
  }, token);
  await within("join with protocol 1.1", joining);
  await prepare(page);
  return page;
}

async function openNewer(open, token) {
  const page = await open("/", { tolerates: TOLERATED });
  await page.evaluate(SINGLE_PEER);
  const joining = page.evaluate(async (credential) => {
    globalThis.client = new SinglePeer();
    await client.join({ io, url: location.origin, token: credential });
    globalThis.lost = () => client.ended.filter((reason) => reason === "Server restarted").length;
    globalThis.say = (message) => client.ask("text", { to: "all", message });
    // A track may be named as well as its stream.
    globalThis.watch = (name, id) => client.subscribe({ audio: `${id}:audio`, video: id });
  }, token);
  await within("join with protocol 1.2", joining);
  await prepare(page);
  return page;
}

/** What both pages keep: sources and sessions by name, what was heard, how often the way was lost. */
async function prepare(page) {
  await page.evaluate(async () => {
    const { openTestSource } = await import("/demo/source.js");
    Object.assign(globalThis, { openTestSource, watched: {}, heard: [], interrupts: 0, resumes: 0 });
    globalThis.hasAudio = (name) => name !== "screen";
    globalThis.streamOf = (name) =>
      [...client.streams.values()].find(({ info }) => info.attributes?.name === name)?.id;
    client.addEventListener("text", ({ detail }) => heard.push(detail.message));
    client.addEventListener("interrupt", () => interrupts++);
    client.addEventListener("resume", () => resumes++);
  });
}

async function returned(page) {
  await page.waitForFunction(() => interrupts > 0 && resumes === interrupts);
}

async function publishOlder(page, names = ["red", "green", "blue"]) {
  for (const name of names) {
    const published = page.evaluate(
      async ([called, hue]) => {
        const { mediaStream } = openTestSource({ name: called, hue });
        globalThis[called] = await client.publish(mediaStream, { attributes: { name: called } });
      },
      [name, HUES[name]],
    );
    await within(`publication of ${name}`, published);
  }
}

async function publishNewer(page, name, sources) {
  const published = page.evaluate(
    async ([called, hue, from]) => {
      const { mediaStream } = openTestSource({ name: called, hue });
      const tracks = mediaStream.getTracks().filter(({ kind }) => from[kind]);
      const attributes = { name: called };
      globalThis[called] = await client.publish(new MediaStream(tracks), { sources: from, attributes });
    },
    [name, HUES[name], sources],
  );
  await within(`publication of ${name}`, published);
}

async function watch(page, name) {
  await page.waitForFunction((wanted) => streamOf(wanted) !== undefined, name);
  const watched = page.evaluate(async (wanted) => {
    globalThis.watched[wanted] = await globalThis.watch(wanted, streamOf(wanted));
  }, name);
  await within(`subscription to ${name}`, watched);
}

async function watchAll(older, newer) {
  for (const name of ["camera", "screen"]) await watch(older, name);
  // At once: the client negotiates one after the other, on its one connection.
  await Promise.all(["red", "green", "blue"].map((name) => watch(newer, name)));
}

async function see(page, name) {
  const moving = page.evaluate(
    ([wanted, count]) => probes.moreFrames(watched[wanted], count),
    [name, FRAMES],
  );
  await within(`frames of ${name}`, moving);
  const looking = page.evaluate((wanted) => probes.cornerHue(watched[wanted]), name);
  const hue = await within(`a look at ${name}`, looking);
  const distance = Math.abs(((hue - HUES[name] + 540) % 360) - 180);
  assert.ok(hue !== null && distance <= HUE_TOLERANCE, `saw hue ${hue} instead of ${name}`);
}

async function seeAll(older, newer) {
  for (const name of ["camera", "screen"]) await see(older, name);
  for (const name of ["red", "green", "blue"]) await see(newer, name);
}

/** Both pages stop showing something and show it again; what else there is goes on. */
async function changeScreens(older, newer) {
  await within("end of the screen", newer.evaluate(() => client.unpublish(globalThis.screen)));
  await older.waitForFunction(() => streamOf("screen") === undefined);
  await within("end of green", older.evaluate(() => client.unpublish(globalThis.green.id)));
  await newer.waitForFunction(() => client.ended.length === 1 && streamOf("green") === undefined);
  for (const name of ["red", "blue"]) await see(newer, name);
  await see(older, "camera");

  // The m-lines of what ended are in the new offer still, without media.
  await publishNewer(newer, "screen", { video: "screen-cast" });
  await watch(older, "screen");
  await publishOlder(older, ["green"]);
  await watch(newer, "green");
  await seeAll(older, newer);
  await older.evaluate(() => (globalThis.ends = 0));
}

function present(page) {
  return page.evaluate(() => ({ id: client.self.id, sessions: [...client.sessions.keys()].sort() }));
}

async function talk(from, to) {
  await within("a text", from.evaluate(() => say("here again")));
  await to.waitForFunction(() => heard.includes("here again"));
}
