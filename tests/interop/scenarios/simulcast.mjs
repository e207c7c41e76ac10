// A camera that is published in three layers, and people who want one or the other of them.

import assert from "node:assert/strict";
import { within } from "../run.mjs";
import { joinAll, subscribe } from "./streams.mjs";

const WIDTHS = { q: 320, h: 640, f: 1280 };
// Browsers begin with the smallest layer and add the others as they trust the network and the
// processor, which has three encoders to feed here.
const ALL_LAYERS_MS = 60_000;

/** Two people subscribe by layer, one changes; a third subscription leaves it to the server. */
export async function simulcast(open, codec, ...tokens) {
  const [camera, one, two] = await joinAll(open, tokens, 3);
  const stream = await publish(camera, codec);
  const watchers = [one, two];
  await Promise.all(watchers.map((page) => expectLayersListed(page, stream)));
  await Promise.all(watchers.map((page) => expectLayersMeasured(page, stream)));

  await subscribe(one, "small", { video: stream }, { rid: "q" });
  await subscribe(two, "large", { video: stream }, { rid: "f" });
  await subscribe(two, "any", { video: stream });
  await expectWidth(one, "small", WIDTHS.q);
  await expectWidth(two, "large", WIDTHS.f);
  await expectWidth(two, "any", WIDTHS.f);
  await expectRefusal(one, stream);

  const before = await answerOf(one, "small");
  await one.evaluate(() => client.setLayer(sessions.small.id, "h"));
  await expectWidth(one, "small", WIDTHS.h);
  assert.equal(await answerOf(one, "small"), before, "nothing was negotiated anew");
  await one.evaluate(() => client.setLayer(sessions.small.id, "q"));
  await expectWidth(one, "small", WIDTHS.q);
  await expectWidth(two, "large", WIDTHS.f);
  return { scenario: "simulcast", layers: Object.keys(WIDTHS).length };
}

async function publish(page, codec) {
  const published = page.evaluate(async (codec) => {
    const video = { width: 1280, height: 720, frameRate: 10 };
    const mediaStream = await navigator.mediaDevices.getUserMedia({ video });
    const encodings = [
      { rid: "q", scaleResolutionDownBy: 4 },
      { rid: "h", scaleResolutionDownBy: 2 },
      { rid: "f" },
    ];
    const session = await client.publish(mediaStream, { codec, encodings });
    // A weak machine is to send fewer frames, not smaller ones.
    const [sender] = session.connection.getSenders();
    const parameters = { ...sender.getParameters(), degradationPreference: "maintain-resolution" };
    await sender.setParameters(parameters);
    return session.id;
  }, codec);
  return within("publication", published);
}

async function expectLayersListed(page, stream) {
  const found = await page.waitForFunction(
    (id) => client.streams.get(id)?.media.video.original.map((layer) => layer.simulcastRid),
    stream,
  );
  assert.deepEqual(await found.jsonValue(), Object.keys(WIDTHS));
}

async function expectLayersMeasured(page, stream) {
  await page.waitForFunction(
    ([id, widths]) =>
      client.streams
        .get(id)
        ?.media.video.original.every(
          ({ simulcastRid, parameters }) => parameters?.resolution?.width === widths[simulcastRid],
        ),
    [stream, WIDTHS],
    { timeout: ALL_LAYERS_MS },
  );
}

/** Waits until a session decodes frames of a width, and goes on. */
async function expectWidth(page, name, width) {
  const seen = page.evaluate(
    async ([key, wanted]) => {
      for (let inARow = 0; inARow < 3; ) {
        await probes.moreFrames(sessions[key], 3);
        const { frameWidth } = await probes.inbound(sessions[key], "video");
        inARow = frameWidth === wanted ? inARow + 1 : 0;
      }
    },
    [name, width],
  );
  await within(`${name} at ${width} pixels`, seen, ALL_LAYERS_MS);
}

async function expectRefusal(page, stream) {
  const refused = await page.evaluate(
    (id) => client.subscribe({ video: id }, { rid: "x" }).catch(({ message }) => message),
    stream,
  );
  assert.equal(
    refused,
    "Target video stream does NOT satisfy:Simulcast RID is not acceptable",
  );
}

function answerOf(page, name) {
  return page.evaluate((key) => sessions[key].connection.remoteDescription.sdp, name);
}
