// A client of the OWT client-portal protocol 1.1: one socket.io connection, one peer connection
// for each publication or subscription. It knows nothing about pages; it tells what happens by
// events whose `detail` is named beside each.

import { Session } from "./session.js";

const PROTOCOL = "1.1";
const ANSWER_TIMEOUT_MS = 10_000;
// A person who leaves does not wait for a server that is gone.
const LOGOUT_TIMEOUT_MS = 1_500;

/** A request that the server refused or did not answer. */
export class RequestError extends Error {
  /**
   * @param {string} request the name of the request, or "connect"
   * @param {string} description the server's words
   * @param {number} [code] the server's error code, where it sent one
   */
  constructor(request, description, code) {
    super(description);
    this.name = "RequestError";
    this.request = request;
    this.code = code;
  }
}

/**
 * Events: `participant-join` (participant), `participant-leave` (participant),
 * `stream-add` (stream), `stream-update` ({stream, field}), `stream-remove` (stream),
 * `session-end` ({session, reason}), `text` ({from, to, message}),
 * `end` ({reason}: the server dropped the participant or the connection was lost).
 */
export class PorticoClient extends EventTarget {
  #io;
  #url;
  #socket = null;
  #unanswered = new Set();

  /** The login result's own part: id, user, role, permission. Null while not in a room. */
  self = null;
  /** The room's id. Null while not in a room. */
  room = null;
  /** Everybody in the room, including this participant, by id. */
  participants = new Map();
  /** What can be subscribed to, by id. */
  streams = new Map();
  /** This participant's publications and subscriptions, by id. */
  sessions = new Map();

  /**
   * @param {object} options
   * @param {Function} options.io the `io` of a socket.io-client of any version from 2 on
   * @param {string} options.url where the portal listens
   */
  constructor({ io, url }) {
    super();
    this.#io = io;
    this.#url = url;
  }

  /** Connects and logs in with a token; resolves to the login result. */
  async join(token) {
    this.#socket = this.#io(this.#url, { forceNew: true, reconnection: false });
    try {
      await this.#connected();
      this.#listen();
      const result = await this.#ask("login", {
        token,
        userAgent: userAgent(),
        protocol: PROTOCOL,
      });
      this.#enter(result);
      return result;
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  /** Leaves the room and closes the connection; every session ends. */
  async leave() {
    if (!this.#socket) return;
    try {
      await this.#request("logout", [], LOGOUT_TIMEOUT_MS);
    } finally {
      this.#close();
    }
  }

  /**
   * Publishes a stream; resolves to its session once media flows.
   * @param {MediaStream} mediaStream
   * @param {object} [options]
   * @param {object} [options.attributes] shown to everybody with the stream
   * @param {string} [options.codec] the only video codec to offer: vp8, vp9, h264, av1
   */
  async publish(mediaStream, { attributes = {}, codec } = {}) {
    const session = Session.forPublication(mediaStream, codec);
    return this.#establish(session, "publish", {
      media: publicationMedia(mediaStream),
      attributes,
    });
  }

  /**
   * Subscribes; resolves to a session whose `mediaStream` carries what was asked for.
   * @param {object} from
   * @param {string} [from.audio] the stream whose audio is wanted
   * @param {string} [from.video] the stream whose video is wanted
   */
  async subscribe({ audio, video }) {
    const session = Session.forSubscription({ audio: Boolean(audio), video: Boolean(video) });
    return this.#establish(session, "subscribe", {
      media: {
        audio: audio ? { from: audio } : false,
        video: video ? { from: video } : false,
      },
    });
  }

  async unpublish(id) {
    await this.#ask("unpublish", { id });
    this.#forget(id);
  }

  async unsubscribe(id) {
    await this.#ask("unsubscribe", { id });
    this.#forget(id);
  }

  /**
   * Stops or resumes forwarding a part of an own publication to everybody.
   * @param {string} id
   * @param {"audio"|"video"|"av"} part
   * @param {boolean} paused
   */
  async setPaused(id, part, paused) {
    const operation = paused ? "pause" : "play";
    await this.#ask("stream-control", { id, operation, data: part });
  }

  /** Sends a text to a participant's id, or to "all" (the sender receives that one, too). */
  async sendText(to, message) {
    await this.#ask("text", { to, message });
  }

  #connected() {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("connect_error", (error) => {
        reject(new RequestError("connect", error.message));
      });
    });
  }

  #listen() {
    this.#socket.on("participant", (message) => this.#onParticipant(message));
    this.#socket.on("stream", (message) => this.#onStream(message));
    this.#socket.on("progress", (message) => this.#onProgress(message));
    this.#socket.on("text", (message) => this.#emit("text", message));
    this.#socket.on("drop", () => this.#end("dropped"));
    this.#socket.on("disconnect", () => this.#end("connection lost"));
  }

  #ask(name, data) {
    return this.#request(name, [data], ANSWER_TIMEOUT_MS);
  }

  #request(name, data, timeoutMs) {
    return new Promise((resolve, reject) => {
      const settle = (act, value) => {
        clearTimeout(timer);
        this.#unanswered.delete(fail);
        act(value);
      };
      const fail = (reason) => settle(reject, new RequestError(name, reason));
      const timer = setTimeout(fail, timeoutMs, "the server did not answer in time");
      this.#unanswered.add(fail);
      if (!this.#socket) {
        fail("not in a room");
        return;
      }
      this.#socket.emit(name, ...data, (status, answer) => {
        if (status === "ok") settle(resolve, answer);
        else settle(reject, refusal(name, answer));
      });
    });
  }

  #enter({ room, ...self }) {
    this.self = self;
    this.room = room.id;
    this.participants = byId(room.participants);
    this.streams = byId(room.streams);
  }

  async #establish(session, request, data) {
    try {
      const { id } = await this.#ask(request, data);
      this.sessions.set(id, session);
      await session.negotiate(id, (signaling) => this.#ask("soac", { id, signaling }));
      await session.ready;
      return session;
    } catch (error) {
      this.#forget(session.id);
      session.close();
      throw error;
    }
  }

  #onParticipant({ action, data }) {
    if (action === "join") {
      this.participants.set(data.id, data);
      this.#emit("participant-join", data);
    } else if (action === "leave" && this.participants.has(data)) {
      const participant = this.participants.get(data);
      this.participants.delete(data);
      this.#emit("participant-leave", participant);
    }
  }

  #onStream({ id, status, data }) {
    const known = this.streams.get(id);
    if (status === "add") {
      this.streams.set(id, data);
      this.#emit("stream-add", data);
    } else if (status === "update" && known) {
      const stream = updated(known, data);
      this.streams.set(id, stream);
      this.#emit("stream-update", { stream, field: data.field });
    } else if (status === "remove" && known) {
      this.streams.delete(id);
      this.#emit("stream-remove", known);
    }
  }

  #onProgress({ id, status, data }) {
    const session = this.sessions.get(id);
    if (!session) return;
    if (status === "soac") session.accept(data);
    else if (status === "ready") session.markReady();
    else if (status === "error") {
      const wasReady = session.fail(data);
      this.sessions.delete(id);
      if (wasReady) this.#emit("session-end", { session, reason: data });
    }
  }

  #forget(id) {
    this.sessions.get(id)?.close();
    this.sessions.delete(id);
  }

  #end(reason) {
    if (!this.#socket) return;
    this.#close();
    this.#emit("end", { reason });
  }

  #close() {
    for (const session of this.sessions.values()) session.close();
    this.sessions.clear();
    for (const fail of this.#unanswered) fail("the connection is closed");
    const socket = this.#socket;
    this.#socket = null;
    socket?.disconnect();
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function byId(list = []) {
  return new Map(list.map((item) => [item.id, item]));
}

// OWT sends a bare string, its protocol document says {code, description}.
function refusal(request, answer) {
  if (typeof answer === "string") return new RequestError(request, answer);
  return new RequestError(request, answer?.description ?? "refused", answer?.code);
}

function updated(stream, { field, value }) {
  if (field === ".") return value;
  const copy = structuredClone(stream);
  if (field === "audio.status" && copy.media.audio) copy.media.audio.status = value;
  if (field === "video.status" && copy.media.video) copy.media.video.status = value;
  if (field === "video.layout") copy.info.layout = value;
  if (field === "activeInput") copy.info.activeInput = value;
  return copy;
}

function publicationMedia(mediaStream) {
  const [audio] = mediaStream.getAudioTracks();
  const [video] = mediaStream.getVideoTracks();
  return {
    audio: audio ? { source: "mic" } : false,
    video: video ? { source: "camera", ...videoParameters(video) } : false,
  };
}

function videoParameters(track) {
  const { width, height, frameRate } = track.getSettings();
  if (!width || !height || !frameRate) return {};
  return {
    parameters: { resolution: { width, height }, framerate: Math.round(frameRate) },
  };
}

function userAgent() {
  const [, runtime, version] = /(Firefox|Edg|Chrome|Version)\/(\d+)/.exec(navigator.userAgent) ?? [
    null,
    "unknown",
    "unknown",
  ];
  return {
    sdk: { type: "JavaScript", version: "5.0" },
    runtime: { name: runtime === "Version" ? "Safari" : runtime, version },
    os: { name: navigator.userAgentData?.platform || "unknown", version: "unknown" },
  };
}
