// An operator at the dashboard, while two people meet on the demo page.

import assert from "node:assert/strict";

import { within } from "../run.mjs";

// The browser itself logs refused requests, of which there are some on purpose.
const TOLERATED = /^Failed to load resource/;

export async function dashboard(open, id, key, screenshot) {
  const ada = await openMember(open, "Ada Lovelace");
  const grace = await openMember(open, "Grace Hopper");
  await grace.getByRole("button", { name: "Stop video" }).click();

  const page = await open("/admin", { tolerates: TOLERATED });
  await signIn(page, id, "guessed");
  await page.getByText("The server does not know this id and key.").waitFor();
  await signIn(page, id, key);

  await page.getByRole("link", { name: /demo 2 participants, 2 streams/ }).click();
  const room = page.locator("#room");
  for (const name of ["Ada Lovelace", "Grace Hopper"]) {
    await room.locator("li", { hasText: name }).getByText("2 subscriptions").waitFor();
  }
  await room.locator("li", { hasText: "Grace Hopper" }).getByText("paused", { exact: true }).waitFor();
  assert.equal(await room.locator("li", { hasText: "Ada" }).getByText("paused", { exact: true }).count(), 0);
  await page.reload();
  await room.locator("li", { hasText: "Ada Lovelace" }).waitFor();
  await checkDrawing(page);
  await within("a picture of the view", page.evaluate(pictureWithColour));
  await page.getByText(/\d [kM]bit\/s/).first().waitFor();
  if (screenshot) await page.screenshot({ path: screenshot, fullPage: true });

  await ada.getByRole("button", { name: "Leave" }).click();
  await room.locator("li", { hasText: "Ada Lovelace" }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Key").waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  return { scenario: "dashboard" };
}

/** Resolves once the first view's snapshot shows anything but its black background. */
export async function pictureWithColour() {
  for (;;) {
    const image = document.querySelector("#room .view img:not([hidden])");
    if (image?.complete && image.naturalWidth > 0) {
      const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
      const context = canvas.getContext("2d");
      context.drawImage(image, 0, 0);
      const { data } = context.getImageData(canvas.width >> 2, canvas.height >> 2, 1, 1);
      if (Math.max(data[0], data[1], data[2]) > 40) return;
    }
    await new Promise((next) => requestAnimationFrame(next));
  }
}

async function openMember(open, name) {
  const page = await open(`/?autojoin=1&name=${encodeURIComponent(name)}&test=1`);
  await page.locator(".tile", { hasText: `${name} (you)` }).waitFor();
  return page;
}

export async function signIn(page, id, key) {
  await page.getByLabel("Service id").fill(id);
  await page.getByLabel("Key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Regions are drawn where the layout says, circles round whatever the picture's shape. */
async function checkDrawing(page) {
  const boxes = await page.evaluate(async () => {
    const { View } = await import("/admin/view.js");
    const view = new View("drawn");
    document.body.append(view.element);
    view.element.style.width = "640px";
    const area = { left: "1/2", top: "0/1", width: "1/2", height: "1/3" };
    const round = { centerW: "1/4", centerH: "1/2", radius: "1/8" };
    const layout = [
      { stream: "s", region: { id: "1", shape: "rectangle", area } },
      { region: { id: "2", shape: "circle", area: round } },
    ];
    const description = {
      resolution: { width: 640, height: 360 },
      background: { r: 0, g: 0, b: 0 },
    };
    view.show(description, layout, () => "Ada");
    const whole = view.element.querySelector(".regions").getBoundingClientRect();
    const boxes = [...view.element.querySelectorAll(".region")].map((region) => {
      const box = region.getBoundingClientRect();
      return {
        text: region.textContent,
        left: (box.left - whole.left) / whole.width,
        top: (box.top - whole.top) / whole.height,
        width: box.width / whole.width,
        height: box.height / whole.height,
        square: box.width / box.height,
      };
    });
    view.element.remove();
    return boxes;
  });
  const [rectangle, circle] = boxes;
  assert.equal(rectangle.text, "Ada");
  near(rectangle, { left: 1 / 2, top: 0, width: 1 / 2, height: 1 / 3 });
  assert.equal(circle.text, "2");
  near(circle, { left: 1 / 8, width: 1 / 4, square: 1 });
}

function near(box, expected) {
  for (const [key, value] of Object.entries(expected)) {
    assert.ok(Math.abs(box[key] - value) < 0.01, `${key}: ${box[key]} is not ${value}`);
  }
}
