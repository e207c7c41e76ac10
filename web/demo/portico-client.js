// @ts-check
// A client of the OWT client-portal protocol 1.1: one socket.io connection, one peer connection
// for each publication or subscription. It knows nothing about pages; it tells what happens by
// events whose `detail` is named beside each.

import { Comeback } from "./comeback.js";
import { Connection, RequestError } from "./connection.js";
import { Session } from "./session.js";

export { RequestError };

/**
 * @typedef {import("../types/portico").Requests} Requests
 * @typedef {import("../types/portico").Notifications} Notifications
 */

const PROTOCOL = "1.1";
// A person who leaves does not wait for a server that is gone.
const LOGOUT_TIMEOUT_MS = 1_500;

/**
 * Events: `participant-join` (participant), `participant-leave` (participant),
 * `stream-add` (stream), `stream-update` ({stream, field}), `stream-remove` (stream),
 * `session-end` ({session, reason}), `text` ({from, to, message}),
 * `interrupt`: the connection is lost, it is tried to come back; then `resume` or `end`,
 * `end` ({reason}: the server dropped the participant or the connection was lost).
 */
export class PorticoClient extends EventTarget {
  #io;
  #url;
  #connection = null;
  #comeback = new Comeback();
  #isReturning = false;

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
    this.#comeback = new Comeback();
    try {
      await this.#connect();
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
    this.#comeback.end();
    try {
      await this.#connection?.ask("logout", undefined, LOGOUT_TIMEOUT_MS);
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
   * @param {RTCRtpEncodingParameters[]} [options.encodings] the simulcast layers to send, the
   *   smallest first
   */
  async publish(mediaStream, { attributes = {}, codec, encodings } = {}) {
    const session = Session.forPublication(mediaStream, { codec, encodings });
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
   * @param {object} [wish]
   * @param {string} [wish.codec] the only video codec to offer: vp8, vp9, h264, av1
   * @param {{width: number, height: number}} [wish.resolution] one that the stream offers
   * @param {string} [wish.rid] the simulcast layer; else the server chooses
   */
  async subscribe({ audio, video }, { codec, resolution, rid } = {}) {
    const session = Session.forSubscription({ audio, video }, codec);
    const parameters = resolution ? { parameters: { resolution } } : {};
    return this.#establish(session, "subscribe", {
      media: {
        audio: audio ? { from: audio } : false,
        video: video ? { from: video, ...parameters, simulcastRid: rid } : false,
      },
    });
  }

  /** Has a subscription show another simulcast layer, without a new negotiation. */
  async setLayer(id, rid) {
    const data = { video: { simulcastRid: rid } };
    await this.#ask("subscription-control", { id, operation: "update", data });
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

  /** Puts an own publication into a view, or takes it out. */
  async setMixed(id, view, mixed) {
    await this.#ask("stream-control", { id, operation: mixed ? "mix" : "unmix", data: view });
  }

  /** Sends a text to a participant's id, or to "all" (the sender receives that one, too). */
  async sendText(to, message) {
    await this.#ask("text", { to, message });
  }

  async #connect() {
    this.#connection = await Connection.open({
      io: this.#io,
      url: this.#url,
      told: (name, message) => this.#told(name, message),
      lost: () => this.#lost(),
    });
  }

  #told(name, message) {
    if (name === "participant") this.#onParticipant(message);
    else if (name === "stream") this.#onStream(message);
    else if (name === "progress") this.#onProgress(message);
    else if (name === "text") this.#emit("text", message);
    else if (name === "drop") this.#end("dropped");
  }

  async #lost() {
    // An attempt to come back may lose its connection, too; then the next one follows.
    if (this.#isReturning) return;
    if (!this.#comeback.isPossible) {
      this.#end("connection lost");
      return;
    }
    this.#isReturning = true;
    this.#emit("interrupt");
    const back = await this.#comeback.tryWith((ticket) => this.#relogin(ticket));
    this.#isReturning = false;
    if (back) this.#emit("resume");
    else this.#end("connection lost");
  }

  async #relogin(ticket) {
    await this.#connect();
    try {
      this.#keep(await this.#ask("relogin", ticket));
    } catch (error) {
      this.#connection?.close();
      throw error;
    }
  }

  #keep(ticket) {
    this.#comeback.keep(ticket, () => this.#ask("refreshReconnectionTicket"));
  }

  /**
   * @template {keyof Requests} Name
   * @param {Name} name
   * @param {Requests[Name]["data"]} [data]
   * @returns {Promise<Requests[Name]["result"]>}
   */
  async #ask(name, data) {
    if (!this.#connection) throw new RequestError(name, "not in a room");
    return this.#connection.ask(name, data);
  }

  /** @param {import("../types/portico").LoginResult} result */
  #enter({ room, reconnectionTicket, ...self }) {
    this.#keep(reconnectionTicket);
    this.self = self;
    this.room = room.id;
    this.participants = byId(room.participants);
    this.streams = byId(room.streams);
  }

  /**
   * @template {"publish"|"subscribe"} Name
   * @param {Session} session
   * @param {Name} request
   * @param {Requests[Name]["data"]} data
   */
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

  /** @param {Notifications["participant"]} message */
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

  /** @param {Notifications["stream"]} message */
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

  /** @param {Notifications["progress"]} message */
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
    if (!this.#connection) return;
    this.#close();
    this.#emit("end", { reason });
  }

  #close() {
    this.#comeback.end();
    for (const session of this.sessions.values()) session.close();
    this.sessions.clear();
    this.#connection?.close();
    this.#connection = null;
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function byId(list = []) {
  return new Map(list.map((item) => [item.id, item]));
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

/** @returns {import("../types/portico").Publish["media"]} */
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
    os: { name: navigator["userAgentData"]?.platform || "unknown", version: "unknown" },
  };
}
