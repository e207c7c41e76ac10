// The mixed view on the demo page: everybody chooses layouts, moves people into the mix and out of
// it, and hears it.

import assert from "node:assert/strict";
import { within } from "../run.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true };

export async function stage(open, desktopScreenshot, phoneScreenshot) {
  const ada = await openMember(open, "Ada Lovelace");
  const alan = await openMember(open, "Alan Turing");
  const grace = await openMember(open, "Grace Hopper", PHONE);
  for (const page of [ada, alan, grace]) await expectCorner(page, await hueOf(page, "Ada Lovelace"));

  await layOut(grace, [ada, alan], "Lecture", ["rectangle"], 6);
  await layOut(alan, [ada, grace], "Circles", ["rectangle", "circle", "circle"], 3);
  await screenshots(alan, grace, desktopScreenshot, phoneScreenshot);
  await layOut(ada, [alan, grace], "Grid", ["rectangle"], 4);

  // Somebody else's picture by the page's own way, one's own by the protocol.
  await showPeople(grace);
  await grace.getByTitle("Take Ada Lovelace out of the mix").click();
  await expectCorner(alan, await hueOf(alan, "Alan Turing"));
  await ada.getByTitle("Put Ada Lovelace into the mix").waitFor();
  await ada.getByTitle("Put Ada Lovelace into the mix").click();
  await alan.getByTitle("Take Alan Turing out of the mix").click();
  await expectCorner(alan, await hueOf(alan, "Grace Hopper"));

  await hearMix(alan);
  return { scenario: "stage" };
}

async function openMember(open, name, options) {
  const page = await open(`/?autojoin=1&test=1&name=${encodeURIComponent(name)}`, options);
  await page.locator(".tile", { hasText: `${name} (you)` }).waitFor();
  await page.locator("#stage").waitFor();
  await page.waitForFunction(() =>
    [...portico.streams.values()].some(({ info }) => info.owner === portico.self.id),
  );
  return page;
}

function hueOf(page, name) {
  return page.evaluate(async (text) => (await import("/shared/page.js")).hueOf(text), name);
}

async function expectCorner(page, hue) {
  const turns = page.evaluate((wanted) => probes.cornerTurns(probes.mixed(portico), wanted), hue);
  await within(`hue ${hue} in the corner of the mix`, turns);
}

/** One presses a button; everybody's page knows. */
async function layOut(page, others, name, shapes, regions) {
  await page.getByRole("button", { name, exact: true }).click();
  for (const one of [page, ...others]) {
    await one.locator(`#layouts button[aria-pressed="true"]`, { hasText: name }).waitFor();
    const layout = await one.waitForFunction((count) => {
      const view = [...portico.streams.values()].find(({ type }) => type === "mixed");
      return view.info.layout.length === count && view.info.layout;
    }, regions);
    const seats = await layout.jsonValue();
    const told = seats.map(({ region }) => region.shape);
    assert.deepEqual(told, told.map((_, at) => shapes[at] ?? shapes.at(-1)));
    assert.equal(seats.filter(({ stream }) => stream).length, 3, "three are shown");
    const frames = one.evaluate(() => probes.moreFrames(probes.mixed(portico), 10));
    await within(`frames of the mix as ${name}`, frames);
  }
}

async function screenshots(desktop, phone, desktopPath, phonePath) {
  await desktop.getByLabel("Message").fill("Circles!");
  await desktop.getByRole("button", { name: "Send" }).click();
  await desktop.getByRole("log").getByText("Circles!").waitFor();
  if (desktopPath) await desktop.screenshot({ path: desktopPath });
  if (phonePath) await phone.screenshot({ path: phonePath });
}

async function showPeople(page) {
  await page.getByRole("button", { name: "Chat" }).click();
}

/** The mix is heard instead of the others one by one, and oneself is not in it. */
async function hearMix(alan) {
  const muted = () => {
    return alan.locator(".tile:not(.mirrored) video").evaluateAll((all) => all.map((it) => it.muted));
  };
  assert.deepEqual((await muted()).sort(), [false, false, true], "one's own is never heard");
  await alan.getByRole("button", { name: "Hear the mix" }).click();
  await alan.locator('#hear-mix[aria-pressed="true"]').waitFor();
  assert.deepEqual(await muted(), [true, true, true]);
  const heard = alan.evaluate(() => probes.heard(probes.mixedSound(portico), 0.02));
  await within("the sound of the mix", heard);
  await alan.getByRole("button", { name: "Hear the mix" }).click();
  await alan.locator('#hear-mix[aria-pressed="false"]').waitFor();
  assert.deepEqual((await muted()).sort(), [false, false, true]);
  await alan.waitForFunction(() => probes.received(portico, "mixed").length === 1);
}
