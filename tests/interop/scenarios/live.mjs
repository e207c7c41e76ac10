// A page with an unmodified hls.js in low-latency mode, of another origin than the broadcast. The
// picture shows the time of its making in black and white bars, so the page knows how late it is.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { within } from "../run.mjs";

const PLAYER = createRequire(import.meta.url).resolve("hls.js/dist/hls.min.js");
const PAGE = `<!doctype html><meta charset="utf-8"><title>live</title>
<video id="video" width="320" height="240" muted></video><script src="/hls.js"></script>`;

// What comes before is the player's way to the live edge.
const SETTLE_MS = 5_000;
const WATCH_MS = 10_000;
const DEADLINE_MS = 60_000;
const FRAMES = 100;

/** Plays a broadcast and tells the latency of its frames. */
export async function live(open, playlist) {
  const site = await serve();
  try {
    const page = await open(`http://127.0.0.1:${site.address().port}/`, {
      // What a player asks for at the edge of what there is may be missing once.
      tolerates: /Failed to load resource/,
    });
    const watching = page.evaluate(watch, [playlist, SETTLE_MS, WATCH_MS]);
    const seen = await within("frames", watching, DEADLINE_MS);
    assert.equal(seen.fatal, null, "hls.js gave up");
    assert.ok(seen.lowLatency, "the playlist has parts");
    assert.ok(seen.latencies.length >= FRAMES, `${seen.latencies.length} frames with a clock`);
    assert.ok(seen.audioBytes > 0, "there is sound");
    const sorted = [...seen.latencies].sort((a, b) => a - b);
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    return {
      scenario: "live",
      frames: sorted.length,
      unreadable: seen.unreadable,
      stalls: seen.stalls,
      latencyMs: { least: sorted[0], median: at(0.5), p95: at(0.95), most: sorted.at(-1) },
    };
  } finally {
    site.close();
  }
}

async function serve() {
  const script = await readFile(PLAYER);
  const site = createServer((request, response) => {
    const isScript = request.url === "/hls.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script : PAGE);
  });
  await new Promise((listening) => site.listen(0, "127.0.0.1", listening));
  return site;
}

/** Runs in the page. */
async function watch([playlist, settleMs, watchMs]) {
  const BARS = 20;
  const GUARDS = 2;
  const video = document.getElementById("video");
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const seen = { fatal: null, latencies: [], unreadable: 0, stalls: 0 };
  const hls = new Hls({ lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.5 });
  hls.on(Hls.Events.ERROR, (_, { fatal, details }) => {
    if (fatal) seen.fatal = details;
    if (details === Hls.ErrorDetails.BUFFER_STALLED_ERROR) seen.stalls += 1;
  });

  /** The time in the picture; undefined if there is none. */
  const clock = () => {
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 120, canvas.width, 1);
    const width = canvas.width / BARS;
    const middle = (bar) => 4 * Math.floor((bar + 0.5) * width);
    const bars = Array.from({ length: BARS }, (_, bar) => data[middle(bar)]);
    const clear = bars.every((bar) => bar < 80 || bar > 175) && bars[0] > 175 && bars[1] < 80;
    return clear
      ? bars.slice(GUARDS).reduce((time, bar) => time * 2 + (bar > 128 ? 1 : 0), 0)
      : undefined;
  };

  hls.loadSource(playlist);
  hls.attachMedia(video);
  const playing = new Promise((resolve) => {
    video.addEventListener("playing", resolve, { once: true });
  });
  await video.play();
  await playing;
  const start = performance.now();
  await new Promise((resolve) => {
    const look = () => {
      const passed = performance.now() - start;
      if (passed > settleMs) {
        const cycle = 2 ** (BARS - GUARDS);
        const time = clock();
        if (time === undefined) seen.unreadable += 1;
        else seen.latencies.push((Date.now() - time + cycle) % cycle);
      }
      if (passed > settleMs + watchMs || seen.fatal) resolve();
      else video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    hls.on(Hls.Events.ERROR, () => seen.fatal && resolve());
  });
  seen.lowLatency = hls.latestLevelDetails?.partList?.length > 0;
  seen.audioBytes = video.webkitAudioDecodedByteCount;
  hls.destroy();
  return seen;
}
