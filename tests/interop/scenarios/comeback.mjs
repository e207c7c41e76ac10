// Two people on the demo page lose the way to the server and come back, then the server itself is
// started anew: they publish and see each other again without doing anything. In the end a server
// takes its place that does not know them, and they are told.

import assert from "node:assert/strict";
import { checkpoint, within } from "../run.mjs";

// The browser itself logs that it cannot connect, for a while, on purpose.
const TOLERATED = /^(Failed to load resource|WebSocket connection|Access to XMLHttpRequest)/;

export async function comeback(open) {
  const ada = await openMember(open, "Ada Lovelace");
  const grace = await openMember(open, "Grace Hopper");
  const pages = [ada, grace];
  await everybodySees(pages);
  await ada.getByRole("button", { name: "Mute", exact: true }).click();
  await grace.getByRole("img", { name: "muted" }).waitFor();
  const before = await Promise.all(pages.map(present));

  await checkpoint("met");
  for (const page of pages) await page.getByText("Connection lost").waitFor();
  // The pictures need no connection with the portal.
  await everybodySees(pages);
  await checkpoint("cut");
  for (const page of pages) await page.getByText("Connection lost").waitFor({ state: "hidden" });
  assert.deepEqual(await Promise.all(pages.map(present)), before, "the same sessions");
  await say(ada, grace, "Here I am again.");

  await checkpoint("back");
  for (const page of pages) {
    // First what was there goes, then what is new comes.
    await page.waitForFunction((old) => {
      const streams = [...portico.streams.values()].filter(({ type }) => type === "forward");
      return streams.length === 2 && streams.every(({ id }) => !old.includes(id));
    }, before.flatMap(({ sessions }) => sessions));
    await page.waitForFunction(() => probes.received(portico, "forward").length === 1);
    await page.waitForFunction(() => probes.received(portico, "mixed").length === 1);
  }
  await everybodySees(pages);
  const after = await Promise.all(pages.map(present));
  assert.deepEqual(after.map(({ id }) => id), before.map(({ id }) => id), "the same participants");
  await grace.getByRole("img", { name: "muted" }).waitFor();
  await say(grace, ada, "And once more.");
  assert.equal(await grace.locator(".tile").count(), 2);

  await checkpoint("again");
  for (const page of pages) {
    await page.getByRole("button", { name: "Join" }).waitFor();
    await page.getByText("The connection to the server was lost.").waitFor();
  }
  return { scenario: "comeback" };
}

async function openMember(open, name) {
  const path = `/?autojoin=1&test=1&name=${encodeURIComponent(name)}`;
  const page = await open(path, { tolerates: TOLERATED });
  await page.locator(".tile", { hasText: `${name} (you)` }).waitFor();
  return page;
}

async function everybodySees(pages) {
  for (const page of pages) {
    await page.waitForFunction(() => probes.received(portico, "forward").length === 1);
    await page.waitForFunction(() => probes.received(portico, "mixed").length === 1);
    const frames = page.evaluate(async () => {
      await probes.moreFrames(probes.subscription(portico), 20);
      await probes.moreFrames(probes.mixed(portico), 20);
    });
    await within("frames of the other one and of the mix", frames);
  }
}

function present(page) {
  return page.evaluate(() => ({
    id: portico.self.id,
    sessions: [...portico.sessions.keys()].sort(),
  }));
}

async function say(from, to, text) {
  await from.getByLabel("Message").fill(text);
  await from.getByRole("button", { name: "Send" }).click();
  await to.getByRole("log").getByText(text).waitFor();
}
