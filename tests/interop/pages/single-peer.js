// A client of protocol 1.2 as OWT's 5.x SDK is one: one peer connection for all sessions, offers made
// before the request because tracks are named by `mid`, one negotiation at a time, `relogin` on every
// later `connect`. Defines the global `SinglePeer`.
//
// A session has `connection.getStats` and `mediaStream` as the demo page's client has them, so that
// the probes take either.

globalThis.SinglePeer = class extends EventTarget {
  #socket = null;
  #connection = null;
  #transport = null;
  #ticket = null;
  #turn = Promise.resolve();
  #waitingCandidates = [];
  #progress = new Map();

  self = null;
  streams = new Map();
  sessions = new Map();
  /** Every reason for which a session ended. */
  ended = [];

  /** Connects and logs in; later connections log in again with the ticket. */
  async join({ io, url, token }) {
    this.#socket = io(url, { forceNew: true, reconnectionDelay: 200, reconnectionDelayMax: 1000 });
    await new Promise((resolve) => this.#socket.once("connect", resolve));
    this.#socket.on("stream", (message) => this.#onStream(message));
    this.#socket.on("progress", (message) => this.#onProgress(message));
    this.#socket.on("text", (message) => this.#tell("text", message));
    const userAgent = { sdk: { type: "JavaScript", version: "5.0" } };
    const { room, ...self } = await this.ask("login", { token, userAgent, protocol: "1.2" });
    this.self = self;
    this.#ticket = self.reconnectionTicket;
    this.streams = new Map(room.streams.map((stream) => [stream.id, stream]));
    this.#socket.on("disconnect", () => this.#tell("interrupt"));
    this.#socket.on("connect", async () => {
      this.#ticket = await this.ask("relogin", this.#ticket);
      this.#tell("resume");
    });
    this.#connect();
  }

  ask(name, data) {
    return new Promise((resolve, reject) => {
      this.#socket.emit(name, data, (status, answer) => {
        if (status === "ok") resolve(answer);
        else reject(new Error(`${name}: ${answer.description ?? answer}`));
      });
    });
  }

  /** Publishes all tracks; `sources` says where each kind comes from. Resolves once it is ready. */
  publish(mediaStream, { sources, attributes }) {
    return this.#inTurn(async () => {
      const transceivers = mediaStream.getTracks().map((track) => {
        return this.#connection.addTransceiver(track, { direction: "sendonly", streams: [mediaStream] });
      });
      const describe = ({ mid, sender }) => {
        return { type: sender.track.kind, mid, source: sources[sender.track.kind] };
      };
      return this.#open("publish", transceivers, describe, { attributes });
    });
  }

  /** Subscribes to the named tracks or streams by kind. Resolves once it is ready. */
  subscribe(from) {
    return this.#inTurn(async () => {
      const transceivers = Object.keys(from).map((kind) => {
        return this.#connection.addTransceiver(kind, { direction: "recvonly" });
      });
      const describe = ({ mid, receiver }) => {
        return { type: receiver.track.kind, mid, from: from[receiver.track.kind] };
      };
      return this.#open("subscribe", transceivers, describe, {});
    });
  }

  /** Ends a publication; its m-lines stay, without media, until the next offer says so. */
  async unpublish(session) {
    await this.ask("unpublish", { id: session.id });
    for (const { sender } of session.transceivers) await sender.replaceTrack(null);
    for (const transceiver of session.transceivers) transceiver.direction = "inactive";
    this.sessions.delete(session.id);
  }

  /** Begins with a new peer connection; the sessions of the one before are gone. */
  renew() {
    this.#connection.close();
    this.sessions.clear();
    this.#transport = null;
    this.#connect();
  }

  #connect() {
    this.#connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.#connection.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate?.candidate) this.#trickle(candidate);
    });
  }

  #inTurn(act) {
    const done = this.#turn.then(act);
    this.#turn = done.catch(() => {});
    return done;
  }

  async #open(request, transceivers, describe, more) {
    const connection = this.#connection;
    await connection.setLocalDescription(await connection.createOffer());
    const transport = { type: "webrtc", ...(this.#transport && { id: this.#transport }) };
    const media = { tracks: transceivers.map(describe) };
    const { id, transportId } = await this.ask(request, { media, transport, ...more });
    if (this.#transport && transportId !== this.#transport) throw new Error("another transport");
    this.#transport = transportId;
    const session = { id, transceivers, ...probed(transceivers) };
    this.sessions.set(id, session);
    const answered = this.#once(transportId, undefined, "soac");
    const ready = this.#once(transportId, id, "ready");
    const { type, sdp } = connection.localDescription;
    await this.ask("soac", { id: transportId, signaling: { type, sdp } });
    await connection.setRemoteDescription(await answered);
    for (const candidate of this.#waitingCandidates.splice(0)) this.#trickle(candidate);
    await ready;
    return session;
  }

  #trickle(candidate) {
    if (!this.#transport || this.#connection.signalingState !== "stable") {
      this.#waitingCandidates.push(candidate);
      return;
    }
    const { candidate: text, sdpMid, sdpMLineIndex } = candidate;
    const signaling = {
      type: "candidate",
      candidate: { candidate: `a=${text}`, sdpMid, sdpMLineIndex },
    };
    this.ask("soac", { id: this.#transport, signaling }).catch(() => {});
  }

  #once(id, sessionId, status) {
    return new Promise((resolve, reject) => {
      this.#progress.set(`${id} ${sessionId} ${status}`, resolve);
      if (sessionId) this.#progress.set(`${id} ${sessionId} error`, reject);
    });
  }

  #onProgress({ id, sessionId, status, data }) {
    const key = `${id} ${sessionId} ${status}`;
    this.#progress.get(key)?.(data);
    this.#progress.delete(key);
    if (status === "error" && this.sessions.delete(sessionId)) {
      this.ended.push(data);
      this.#tell("session-end", { sessionId, reason: data });
    }
  }

  #onStream({ id, status, data }) {
    if (status === "add") this.streams.set(id, data);
    else if (status === "remove") this.streams.delete(id);
    else if (data.field === ".") this.streams.set(id, data.value);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
};

/** What the probes look at: the statistics of the picture, and what is received. */
function probed(transceivers) {
  const tracks = transceivers.map(({ receiver }) => receiver.track);
  const video = transceivers.find(({ receiver }) => receiver.track.kind === "video");
  const connection = { getStats: () => video.receiver.getStats() };
  return { connection, mediaStream: new MediaStream(tracks) };
}
