// Bare peer connections without any dialect: one page offers to publish, another one answers the
// server's offer. Descriptions travel by POST, whose answer is the other end's description, if any.

import assert from "node:assert/strict";
import { within } from "../run.mjs";

/** The fake microphone's beeps are far above this, silence is far below. */
const AUDIBLE = 0.01;

export async function offered(open) {
  const publisher = await open("/");
  await within("a publication", publisher.evaluate(publish));
  const subscriber = await open("/");
  const said = await within("an answer", subscriber.evaluate(subscribe));
  const decoded = (count) => probes.moreFrames(session, count);
  await within("moving pictures", subscriber.evaluate(decoded, 30));
  const loudness = () => probes.loudness(session, { listenMs: 3000 });
  assert.ok((await subscriber.evaluate(loudness)) > AUDIBLE, "sound is heard");
  return { scenario: "offered", ...said };
}

async function publish() {
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const connection = new RTCPeerConnection();
  for (const track of media.getTracks()) connection.addTrack(track, media);
  await connection.setLocalDescription();
  const sdp = await post("publish", connection.localDescription.sdp);
  await connection.setRemoteDescription({ type: "answer", sdp });
  globalThis.session = { connection };
  await post("published");

  async function post(what, body) {
    return (await fetch(`/${what}`, { method: "POST", body })).text();
  }
}

async function subscribe() {
  const connection = new RTCPeerConnection();
  const streams = new Set();
  const mediaStream = new MediaStream();
  connection.ontrack = ({ track, streams: [stream] }) => {
    streams.add(stream.id);
    mediaStream.addTrack(track);
  };
  globalThis.session = { connection, mediaStream };
  await connection.setRemoteDescription({ type: "offer", sdp: await post("subscribe") });
  await connection.setLocalDescription();
  await post("answer", connection.localDescription.sdp);
  return { streams: [...streams], tracks: mediaStream.getTracks().length };

  async function post(what, body) {
    return (await fetch(`/${what}`, { method: "POST", body })).text();
  }
}
