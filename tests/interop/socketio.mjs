// Two socket.io clients of one real version meet in a room: login, text, notifications, logout.
//
//   node socketio.mjs 2|3|4 polling-first|websocket|polling URL TOKEN_ALICE TOKEN_BOB
//
// The tokens are for one room and the users `alice` and `bob`, who are presenters. Prints one line
// of JSON; exits with 0 only if everything was exactly as expected.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { runReporting, within } from "./run.mjs";

const TRANSPORTS = {
  "polling-first": ["polling", "websocket"],
  websocket: ["websocket"],
  polling: ["polling"],
};
const NOTIFICATIONS = ["participant", "stream", "progress", "text", "drop"];

class Client {
  /** Everything the server told this client, in order. */
  heard = [];
  #socket;
  #waiting = [];

  constructor(io, url, transports) {
    this.#socket = io(url, { transports, reconnection: false, forceNew: true });
    for (const name of NOTIFICATIONS) {
      this.#socket.on(name, (...data) => {
        this.heard.push([name, ...data]);
        for (const check of this.#waiting) check();
      });
    }
  }

  async connect() {
    const connected = new Promise((resolve, reject) => {
      this.#socket.on("connect", resolve);
      this.#socket.on("connect_error", reject);
    });
    await within("connect", connected);
  }

  /** The whole answer to a request, as the server sent it. */
  request(name, ...data) {
    const answered = new Promise((resolve) => {
      this.#socket.emit(name, ...data, (...answer) => resolve(answer));
    });
    return within(`answer to ${name}`, answered);
  }

  /** Waits until the server has told that many things. */
  async hears(count) {
    const heard = new Promise((resolve) => {
      const check = () => this.heard.length >= count && resolve();
      this.#waiting.push(check);
      check();
    });
    await within(`notification ${count} after ${JSON.stringify(this.heard)}`, heard);
  }

  async usesTransport(name) {
    const { engine } = this.#socket.io;
    const used = new Promise((resolve) => {
      const check = () => engine.transport.name === name && resolve();
      engine.on("upgrade", check);
      check();
    });
    await within(`transport ${name}`, used);
  }

  async close() {
    const closed = new Promise((resolve) => {
      this.#socket.on("disconnect", resolve);
    });
    this.#socket.disconnect();
    await within("disconnect", closed);
  }
}

function loginInfo(token) {
  return {
    token,
    userAgent: {
      sdk: { type: "JavaScript", version: "4.3.1" },
      runtime: { name: "Node.js", version: process.versions.node },
      os: { name: process.platform, version: "unknown" },
    },
    protocol: "1.1",
  };
}

async function logIn(client, token, user) {
  const [status, result, ...rest] = await client.request("login", loginInfo(token));
  assert.equal(status, "ok", `login of ${user}: ${JSON.stringify(result)}`);
  assert.deepEqual(rest, []);
  assert.equal(result.user, user);
  assert.equal(result.role, "presenter");
  assert.deepEqual(result.permission.publish, { audio: true, video: true });
  assert.deepEqual(result.permission.subscribe, { audio: true, video: true });
  const ticket = JSON.parse(Buffer.from(result.reconnectionTicket, "base64").toString());
  assert.equal(ticket.participantId, result.id);
  assert.ok(ticket.notAfter > Date.now(), "the ticket is valid for some time");
  return result;
}

function participantOf({ id, user, role }) {
  return { id, user, role };
}

function byUser(participants) {
  return participants.map(participantOf).sort((a, b) => a.user.localeCompare(b.user));
}

async function main([version, transports, url, tokenAlice, tokenBob]) {
  const io = createRequire(import.meta.url)(`socket.io-client-${version}`);
  assert.ok(TRANSPORTS[transports], `unknown transports ${transports}`);

  const alice = new Client(io, url, TRANSPORTS[transports]);
  await alice.connect();
  const a = await logIn(alice, tokenAlice, "alice");
  assert.deepEqual(a.room.participants, [participantOf(a)]);

  const bob = new Client(io, url, TRANSPORTS[transports]);
  await bob.connect();
  const b = await logIn(bob, tokenBob, "bob");
  assert.equal(b.room.id, a.room.id);
  assert.deepEqual(byUser(b.room.participants), [participantOf(a), participantOf(b)]);
  await alice.hears(1);

  const lastTransport = TRANSPORTS[transports].at(-1);
  await alice.usesTransport(lastTransport);
  await bob.usesTransport(lastTransport);

  assert.deepEqual(await alice.request("text", { to: "all", message: "hello, ünïcödé 🏛" }), ["ok"]);
  await alice.hears(2);
  await bob.hears(1);
  assert.deepEqual(await bob.request("text", { to: a.id, message: "only for you" }), ["ok"]);
  await alice.hears(3);
  const [status, error] = await bob.request("text", { to: "nobody-here", message: "lost" });
  assert.equal(status, "error");
  assert.equal(typeof error.code, "number");
  assert.equal(error.description, "Target participant does NOT exist: nobody-here");

  assert.deepEqual(await bob.request("logout"), ["ok"]);
  await bob.close();
  await alice.hears(4);
  assert.deepEqual(await alice.request("logout"), ["ok"]);
  await alice.close();

  assert.deepEqual(alice.heard, [
    ["participant", { action: "join", data: participantOf(b) }],
    ["text", { from: a.id, to: "all", message: "hello, ünïcödé 🏛" }],
    ["text", { from: b.id, to: "me", message: "only for you" }],
    ["participant", { action: "leave", data: b.id }],
  ]);
  assert.deepEqual(bob.heard, [
    ["text", { from: a.id, to: "all", message: "hello, ünïcödé 🏛" }],
  ]);
  return { version, transports, heard: alice.heard.length + bob.heard.length };
}

await runReporting(main);
