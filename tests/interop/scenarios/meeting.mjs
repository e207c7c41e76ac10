// Two people meet on the demo page: Ada with camera and microphone, Grace with the test picture.

import assert from "node:assert/strict";
import { within } from "../run.mjs";

// The fake microphone's beeps are far above the first, comfort noise is below the second.
const AUDIBLE = 0.05;
const SILENT = 0.002;

export async function meeting(open, codec, screenshot) {
  const ada = await openMember(open, "Ada Lovelace", `codec=${codec}`);
  const grace = await openMember(open, "Grace Hopper", "test=1");
  await grace.locator(".tile", { hasText: "Ada Lovelace" }).waitFor();
  await ada.locator(".tile", { hasText: "Grace Hopper" }).waitFor();

  const frames = await seeAndHear(grace, codec);
  await talk(ada, grace);
  await record(grace);
  await pauseAndResumeVideo(ada, grace);
  await muteAndUnmute(ada, grace);
  if (screenshot) await grace.screenshot({ path: screenshot });
  await leave(ada, grace);
  return { scenario: "meeting", codec, frames };
}

async function openMember(open, name, query) {
  const page = await open(`/?autojoin=1&name=${encodeURIComponent(name)}&${query}`);
  await page.locator(".tile", { hasText: `${name} (you)` }).waitFor();
  // The own stream is announced to its publisher as well, once media flows.
  await page.waitForFunction(() =>
    [...portico.streams.values()].some(({ info }) => info.owner === portico.self.id),
  );
  return page;
}

async function seeAndHear(grace, codec) {
  const seen = grace.evaluate(async () => {
    const session = probes.subscription(portico);
    await probes.moreFrames(session, 30);
    return probes.inbound(session, "video");
  });
  const { codec: received, framesDecoded } = await within("30 frames of Ada", seen);
  assert.equal(received.toLowerCase(), `video/${codec}`);
  await hear(grace);
  return framesDecoded;
}

async function hear(page) {
  const heard = page.evaluate((loudness) => {
    return probes.heard(probes.subscription(portico), loudness);
  }, AUDIBLE);
  await within("a beep of Ada's microphone", heard);
}

async function talk(ada, grace) {
  await grace.getByLabel("Message").fill("Can you see the columns?");
  await grace.getByRole("button", { name: "Send" }).click();
  await ada.getByRole("log").getByText("Can you see the columns?").waitFor();
  await grace.getByRole("log").getByText("Can you see the columns?").waitFor();

  await ada.getByLabel("To", { exact: true }).selectOption({ label: "Grace Hopper" });
  await ada.getByLabel("Message").fill("Every one of them.");
  await ada.getByRole("button", { name: "Send" }).click();
  await grace.getByRole("log").getByText("Ada Lovelace, to you").waitFor();
}

async function record(page) {
  await page.evaluate(() => {
    probes.record(portico, ["participant-leave", "stream-update", "stream-remove", "session-end"]);
  });
}

// Paused by the protocol alone: Ada's camera goes on sending, so only the server can stop it.
async function pauseAndResumeVideo(ada, grace) {
  await ada.evaluate(() => {
    const own = [...portico.streams.values()].find(({ info }) => info.owner === portico.self.id);
    return portico.setPaused(own.id, "video", true);
  });
  await grace.locator(".tile.no-picture", { hasText: "Ada Lovelace" }).waitFor();
  const [update] = await statusUpdates(grace);
  assert.deepEqual(update, ["video.status", "inactive"]);
  const frames = await grace.evaluate(() => {
    return probes.framesWithin(probes.subscription(portico), { settleMs: 700, watchMs: 2000 });
  });
  assert.equal(frames, 0, "frames decoded while Ada's video is paused");

  await ada.getByRole("button", { name: "Start video" }).click();
  const resumed = grace.evaluate(() => probes.moreFrames(probes.subscription(portico), 10));
  await within("Ada's picture again", resumed);
  assert.equal(await grace.locator(".tile.no-picture").count(), 0);
}

async function muteAndUnmute(ada, grace) {
  await ada.getByRole("button", { name: "Mute", exact: true }).click();
  await grace.getByRole("img", { name: "muted" }).waitFor();
  // What a busy browser has still to play is heard first; then more than two beeps must be missing.
  const silent = grace.evaluate((silence) => {
    return probes.silent(probes.subscription(portico), silence, 2500);
  }, SILENT);
  await within("silence while Ada is muted", silent);

  await ada.getByRole("button", { name: "Unmute" }).click();
  await hear(grace);
  assert.deepEqual(await statusUpdates(grace), [
    ["video.status", "inactive"],
    ["video.status", "active"],
    ["audio.status", "inactive"],
    ["audio.status", "active"],
  ]);
}

// Other updates (a new resolution, who speaks) may come at any time and are left out.
async function statusUpdates(page) {
  return page.evaluate(() =>
    portico.probeRecord
      .filter(([name, detail]) => name === "stream-update" && detail.field.endsWith(".status"))
      .map(([, { stream, field }]) => [field, stream.media[field.split(".")[0]].status]),
  );
}

async function leave(ada, grace) {
  const adaId = await ada.evaluate(() => portico.self.id);
  await ada.getByRole("button", { name: "Leave" }).click();
  await ada.getByRole("button", { name: "Join" }).waitFor();
  const names = ["participant-leave", "stream-remove", "session-end"];
  await grace.waitForFunction((expected) => {
    return expected.every((name) => portico.probeRecord.some(([told]) => told === name));
  }, names);
  const told = await grace.evaluate(() => portico.probeRecord);
  const detailsOf = (wanted) => told.filter(([name]) => name === wanted).map(([, detail]) => detail);
  assert.deepEqual(detailsOf("participant-leave").map(({ id }) => id), [adaId]);
  assert.deepEqual(detailsOf("stream-remove").map(({ info }) => info.owner), [adaId]);
  assert.deepEqual(detailsOf("session-end").map(({ reason }) => reason), ["Source stream loss"]);
  assert.equal(await grace.locator(".tile").count(), 1, "only Grace's own picture is left");
  assert.equal(await grace.getByText("You are alone here").count(), 1);
}
