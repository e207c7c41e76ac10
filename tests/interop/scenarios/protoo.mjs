// Two pages with an unmodified protoo-client and one with the demo page's client, in one room.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { browserScript } from "../commonjs.mjs";
import { within } from "../run.mjs";
import { openOwt } from "./streams.mjs";

const ROOM = "studio";
const FRAMES = 20;
const CLIENT = browserScript("protooClient", "protoo-client", fileURLToPath(import.meta.url));

/** Tokens of `ada`, `bob`, `olga`, and one more of `ada`. */
export async function protoo(open, adaToken, bobToken, olgaToken, adaTokenAgain) {
  const ada = await openProtoo(open, "ada", adaToken);
  assert.deepEqual(ada.found, { users: [], pubs: [] });
  const bob = await openProtoo(open, "bob", bobToken);
  assert.deepEqual(bob.found.users.map(({ uid }) => uid), ["ada"]);
  await told(ada, "peer-join", { uid: "bob" });

  // Ada sends both; what bob shows is a picture alone.
  const adaMid = await publish(ada, { audio: true, video: true }, 0);
  assert.match(adaMid, /^ada#[0-9A-Za-z]{6}$/);
  await told(bob, "stream-add", { mid: adaMid, uid: "ada" });
  const bobMid = await publish(bob, { audio: false, video: true }, 1);
  const added = await told(ada, "stream-add", { mid: bobMid, uid: "bob" });
  assert.deepEqual(added.minfo, { audio: false, video: true, audiotype: 0, videotype: 1 });
  const watched = [await watch(bob, adaMid), await watch(ada, bobMid)];

  const olga = await openOwt(open, olgaToken, ["text", "participant-leave", "stream-remove"]);
  await told(ada, "peer-join", { uid: "olga" });
  await told(bob, "peer-join", { uid: "olga" });
  const olgaStream = await olga.evaluate(async () => {
    const { openTestSource } = await import("/demo/source.js");
    const { id } = await client.publish(openTestSource({ hue: 120, toneHz: 550 }).mediaStream);
    return id;
  });
  const olgaMid = `olga#${olgaStream}`;
  await told(ada, "stream-add", { mid: olgaMid, uid: "olga" });
  await told(bob, "stream-add", { mid: olgaMid, uid: "olga" });
  watched.push(await watch(ada, olgaMid), await watch(bob, olgaMid));
  watched.push(await watchOwt(olga, idOf(adaMid), { audio: true }));
  watched.push(await watchOwt(olga, idOf(bobMid), { audio: false }));

  await talk(ada, bob, olga);
  await part(ada, bob, olga, bobMid);
  await replace(open, ada, adaTokenAgain);
  return { scenario: "protoo", subscriptions: watched.filter((frames) => frames >= FRAMES).length };
}

function idOf(mid) {
  return mid.split("#").at(-1);
}

async function openProtoo(open, uid, token) {
  const page = await open("/");
  await page.evaluate(CLIENT);
  const joining = page.evaluate(
    async ([name, credential, room]) => {
      const { WebSocketTransport, Peer } = protooClient;
      const query = new URLSearchParams({ peer: name, token: credential });
      const peer = new Peer(new WebSocketTransport(`ws://${location.host}/ws?${query}`));
      const offer = async (connection) => {
        await connection.setLocalDescription(await connection.createOffer());
        const gathered = new Promise((resolve) => {
          const check = () => connection.iceGatheringState === "complete" && resolve();
          connection.addEventListener("icegatheringstatechange", check);
          check();
        });
        await gathered;
        const { type, sdp } = connection.localDescription;
        return { type, sdp };
      };
      globalThis.protoo = { peer, told: [], ended: false, watched: {}, room, offer };
      peer.on("notification", ({ method, data }) => protoo.told.push({ method, data }));
      peer.on("close", () => (protoo.ended = true));
      await new Promise((resolve) => peer.on("open", resolve));
      return peer.request("join", { rid: room });
    },
    [uid, token, ROOM],
  );
  const found = await within(`join of ${uid}`, joining);
  return { page, found };
}

/** The first notification of that name with those members. */
async function told({ page }, method, members) {
  const found = await page.waitForFunction(
    ([name, wanted]) => {
      const fits = (data) => Object.keys(wanted).every((key) => data[key] === wanted[key]);
      return protoo.told.find((one) => one.method === name && fits(one.data))?.data;
    },
    [method, members],
  );
  return found.jsonValue();
}

// The offer is complete: this dialect has no trickle.
async function publish({ page }, kinds, videotype) {
  const publishing = page.evaluate(
    async ([wanted, type]) => {
      const media = await navigator.mediaDevices.getUserMedia(wanted);
      const connection = new RTCPeerConnection();
      for (const track of media.getTracks()) connection.addTrack(track, media);
      const jsep = await protoo.offer(connection);
      const minfo = { ...wanted, audiotype: 0, videotype: type };
      const answer = await protoo.peer.request("publish", { rid: protoo.room, jsep, minfo });
      await connection.setRemoteDescription(answer.jsep);
      return answer.mid;
    },
    [kinds, videotype],
  );
  return within("publication", publishing);
}

// Offers to receive both kinds whatever there is, as simple clients do; yields the frames decoded.
async function watch({ page }, mid) {
  const watching = page.evaluate(
    async ([wanted, frames]) => {
      const connection = new RTCPeerConnection();
      connection.addTransceiver("audio", { direction: "recvonly" });
      connection.addTransceiver("video", { direction: "recvonly" });
      const jsep = await protoo.offer(connection);
      const request = { rid: protoo.room, mid: wanted, jsep };
      const { jsep: answer, sid } = await protoo.peer.request("subscribe", request);
      await connection.setRemoteDescription(answer);
      protoo.watched[sid] = { connection };
      await probes.moreFrames({ connection }, frames);
      return probes.framesDecoded({ connection });
    },
    [mid, FRAMES],
  );
  return within(`frames of ${mid}`, watching);
}

async function watchOwt(page, stream, { audio }) {
  await page.waitForFunction((id) => client.streams.has(id), stream);
  const watching = page.evaluate(
    async ([id, sound, frames]) => {
      const session = await client.subscribe(sound ? { audio: id, video: id } : { video: id });
      await probes.moreFrames(session, frames);
      return probes.framesDecoded(session);
    },
    [stream, audio, FRAMES],
  );
  return within(`frames of ${stream}`, watching);
}

async function talk(ada, bob, olga) {
  await bob.page.evaluate(() => {
    return protoo.peer.request("broadcast", { rid: protoo.room, data: "hello" });
  });
  await told(ada, "broadcast", { uid: "bob", data: "hello" });
  await olga.waitForFunction(() => {
    return client.probeRecord.some(([name, { message }]) => name === "text" && message === "hello");
  });
  await olga.evaluate(() => client.sendText("all", "hello all"));
  await told(ada, "broadcast", { uid: "olga", data: "hello all" });
  await told(bob, "broadcast", { uid: "olga", data: "hello all" });
  const own = await bob.page.evaluate(() => {
    return protoo.told.filter(({ data }) => data.uid === "bob");
  });
  assert.deepEqual(own, [], "nobody is told of its own doings");
}

async function part(ada, bob, olga, bobMid) {
  await bob.page.evaluate(() => protoo.peer.request("leave", { rid: protoo.room }));
  await told(ada, "peer-leave", { uid: "bob" });
  await told(ada, "stream-remove", { uid: "bob", mid: bobMid });
  await olga.waitForFunction(() => {
    const names = client.probeRecord.map(([name]) => name);
    return names.includes("participant-leave") && names.includes("stream-remove");
  });
}

// protoo-client comes back after any end but this one.
async function replace(open, ada, token) {
  const newer = await openProtoo(open, "ada", token);
  await ada.page.waitForFunction(() => protoo.ended);
  assert.deepEqual(newer.found.users.map(({ uid }) => uid), ["olga"]);
}
