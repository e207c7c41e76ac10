// Pages that speak the room-signal dialect, one that speaks OWT's, and a call between two.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { within } from "../run.mjs";
import { openOwt } from "./streams.mjs";

const ROOM = "studio";
const FRAMES = 20;
const CLIENT = readFileSync(new URL("../signals-client.js", import.meta.url), "utf8");
const HUES = { ann: 0, bob: 120, olga: 240 };

/** Tokens of `ann`, `bob`, `cat` and `olga`. */
export async function signals(open, annToken, bobToken, catToken, olgaToken) {
  const enter = (userId, token) => openSignals(open, { userId, token, room: ROOM, channel: "m2m" });
  const ann = await enter("ann", annToken);
  const bob = await enter("bob", bobToken);
  const cat = await enter("cat", catToken);
  const watched = [];

  // Ann makes the room and publishes; bob is there before her picture, cat comes after.
  assert.equal(await join(ann, { roomCreating: true }), "admin");
  assert.equal(await join(bob), "viewer");
  await publish(ann);
  await listed(bob, [["ann", "admin", true]]);
  watched.push(await watch(bob, "ann"));
  assert.equal(await join(cat), "viewer");
  watched.push(await seen(cat, "ann"));

  // Bob asks for the floor, and gets it.
  await bob.page.evaluate(() => {
    client.send("publishRequest", "PUBLISH_REQUEST", { ve: true, ae: true, msg: "" });
  });
  const { ss } = await signal(ann, "PUBLISH_REQUEST");
  assert.equal(ss.sessionId, "bob");
  await ann.page.evaluate((to) => client.send("publishAccept", "PUBLISH_ACCEPT", { to }), ss);
  await signal(bob, "PUBLISH_ACCEPT");
  await publish(bob);
  for (const other of [ann, cat]) {
    await listed(other, [["ann", "admin", true], ["bob", "publisher", true]]);
    watched.push(await watch(other, "bob"));
  }

  // Olga comes by the other door, sees both and is seen by all.
  const olga = await openOwt(open, olgaToken, []);
  for (const owner of ["ann", "bob"]) watched.push(await watchOwt(olga, owner));
  await olga.evaluate(async (hue) => {
    const { openTestSource } = await import("/demo/source.js");
    await client.publish(openTestSource({ hue, toneHz: 550 }).mediaStream);
  }, HUES.olga);
  const publishers = ["ann", "bob", "olga"];
  for (const one of [ann, bob, cat]) {
    const found = await one.page.waitForFunction((count) => {
      const up = client.publishers.filter(({ publish }) => publish);
      return up.length === count && up;
    }, publishers.length);
    const list = await found.jsonValue();
    assert.deepEqual(list.map(({ userId }) => userId), publishers);
    one.olga = list[2].id;
    watched.push(await watch(one, one.olga, "olga"));
  }

  await update(ann, bob, cat);
  await part(ann, bob, cat);
  return { scenario: "signals", subscriptions: watched.filter((it) => it >= FRAMES).length };
}

/** What ann says that she sends is in everybody's list; and cat, who had her picture, sees it stop. */
async function update(ann, bob, cat) {
  const say = (ve) => ann.page.evaluate((video) => {
    client.send("updateVideo", "UPDATE", { ve: video, ae: true });
  }, ve);
  const shows = (page, video) => page.waitForFunction((wanted) => {
    return client.publishers.find(({ id }) => id === "ann")?.video === wanted;
  }, video);
  await say(false);
  for (const { page } of [ann, bob, cat]) await shows(page, false);
  const still = await cat.page.evaluate(() => {
    return probes.framesWithin(client.watched.ann, { settleMs: 1000, watchMs: 1000 });
  });
  assert.equal(still, 0, "a paused picture is not sent");
  await say(true);
  for (const { page } of [ann, bob, cat]) await shows(page, true);
  await seen(cat, "ann");
}

/** The owner leaves and is succeeded; the new owner takes cat out, whose media ends. */
async function part(ann, bob, cat) {
  await ann.page.evaluate(() => client.send("leave", "LEAVE", {}));
  await listed(bob, [["bob", "admin", true], [bob.olga, "publisher", true]]);
  await seen(cat, "bob");
  await bob.page.evaluate(() => client.send("kick", "KICK", { to: "cat" }));
  await signal(cat, "KICK");
  const after = await cat.page.evaluate(async (ids) => {
    const options = { settleMs: 1500, watchMs: 1000 };
    return Promise.all(ids.map((id) => probes.framesWithin(client.watched[id], options)));
  }, ["bob", cat.olga]);
  assert.deepEqual(after, [0, 0], "whoever was taken out receives nothing");
  // The others go on, and the socket of the one who was taken out is open.
  await seen(bob, bob.olga);
  assert.equal(await join(cat), "viewer");
  await seen(cat, "bob");
}

/** Tokens of `ann` and `bob`. */
export async function call(open, annToken, bobToken) {
  const enter = (userId, token) => {
    return openSignals(open, { userId, token, room: ROOM, channel: "p2p" });
  };
  const ann = await enter("ann", annToken);
  const bob = await enter("bob", bobToken);
  for (const { page, userId } of [ann, bob]) {
    await page.evaluate(async (hue) => {
      const { openTestSource } = await import("/demo/source.js");
      client.media = openTestSource({ hue, toneHz: 440 }).mediaStream;
    }, HUES[userId]);
  }
  assert.equal(await join(ann, { roomCreating: true }), "admin");
  assert.equal(await join(bob), "publisher");
  await bob.page.evaluate(() => {
    const caller = client.publishers.find(({ role }) => role === "admin");
    return client.offerTo({ userId: caller.userId, sessionId: caller.id }, client.media);
  });
  const frames = [];
  for (const [{ page }, hue] of [[ann, HUES.bob], [bob, HUES.ann]]) {
    await page.waitForFunction(() => client.called?.connection.connectionState === "connected");
    const watching = page.evaluate(
      async ([expected, count]) => {
        await probes.cornerTurns(client.called, expected);
        await probes.moreFrames(client.called, count);
        return probes.framesDecoded(client.called);
      },
      [hue, FRAMES],
    );
    frames.push(await within("frames of the call", watching));
  }
  return { scenario: "call", subscriptions: frames.filter((it) => it >= FRAMES).length };
}

async function openSignals(open, { userId, token, room, channel }) {
  const page = await open("/");
  await page.evaluate(CLIENT);
  const options = { token, room, channel, userId, sessionId: userId };
  const opening = page.evaluate(async (wanted) => {
    globalThis.client = new SignalsClient(wanted);
    await client.open();
  }, options);
  await within(`the socket of ${userId}`, opening);
  return { page, userId };
}

async function join({ page, userId }, options = {}) {
  const joining = page.evaluate(async (wanted) => {
    await client.join(wanted);
    return client.role;
  }, options);
  return within(`JOIN of ${userId}`, joining);
}

async function publish({ page, userId }) {
  const publishing = page.evaluate(async (hue) => {
    const { openTestSource } = await import("/demo/source.js");
    await client.publish(openTestSource({ hue, toneHz: 440 }).mediaStream);
  }, HUES[userId]);
  await within(`uplink of ${userId}`, publishing);
}

/** Waits until the list is that one: ids, roles, and whether the uplink is up. */
async function listed({ page }, expected) {
  await page.waitForFunction((wanted) => {
    const list = client.publishers.map(({ id, role, publish: up }) => [id, role, up]);
    return JSON.stringify(list) === JSON.stringify(wanted);
  }, expected);
}

async function signal({ page, userId }, s) {
  const hearing = page.evaluate((name) => {
    return client.next((message) => message.s === name && message.c === undefined);
  }, s);
  return within(`${s} to ${userId}`, hearing);
}

async function watch(one, id, user = id) {
  await within(`WATCH ${id}`, one.page.evaluate((wanted) => client.watch(wanted), id));
  return seen(one, id, user);
}

/** Waits for somebody's picture, by its colour, and for its frames; yields how many were decoded. */
async function seen({ page, userId }, id, user = id) {
  const watching = page.evaluate(
    async ([wanted, hue, count]) => {
      const session = client.watched[wanted];
      if (hue !== undefined) await probes.cornerTurns(session, hue);
      await probes.moreFrames(session, count);
      return probes.framesDecoded(session);
    },
    [id, HUES[user], FRAMES],
  );
  return within(`frames of ${id} at ${userId}`, watching);
}

async function watchOwt(page, owner) {
  const found = await page.waitForFunction((wanted) => {
    const streams = [...client.streams.values()];
    return streams.find(({ info }) => info?.owner === wanted)?.id;
  }, owner);
  const watching = page.evaluate(
    async ([id, frames]) => {
      const session = await client.subscribe({ audio: id, video: id });
      await probes.moreFrames(session, frames);
      return probes.framesDecoded(session);
    },
    [await found.jsonValue(), FRAMES],
  );
  return within(`frames of ${owner} at olga`, watching);
}
