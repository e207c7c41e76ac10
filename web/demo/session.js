// One peer connection with the server, from the offer to its end.

const READY_TIMEOUT_MS = 20_000;
const SETTLED_MS = 10_000;

/** A session that could not be established or was ended by the server. */
class SessionError extends Error {
  constructor(reason) {
    super(reason);
    this.name = "SessionError";
  }
}

/**
 * Whether a session that ended is worth another one: after a restart of the server always, after a
 * loss of the way to its media port if it had worked for a while.
 */
export function isWorthAnother(session, reason) {
  if (reason.startsWith("Server restarted")) return true;
  const settled = session.readyAt && performance.now() - session.readyAt > SETTLED_MS;
  return Boolean(settled) && reason.startsWith("Ice procedure failed");
}

export class Session {
  /** The publication's (and stream's) or subscription's id, once the server has given one. */
  id = null;
  /** For statistics; negotiation is this class's business. */
  connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  /** What is sent, or what is received. */
  mediaStream;
  /** Of a subscription: the streams whose tracks are received. */
  from = null;
  /** Settles once the server says that media flows, or that it will not. */
  ready;
  /** When it became ready, in milliseconds of the page's life; 0 before. */
  readyAt = 0;

  #signal = null;
  #waitingCandidates = [];
  #state = "connecting";
  #deadline = null;
  #becomeReady;
  #giveUp;

  static forPublication(mediaStream, { codec, encodings }) {
    const codecs = codec ? videoCodecs(codec, RTCRtpSender) : [];
    const session = new Session(mediaStream);
    for (const track of [...mediaStream.getAudioTracks(), ...mediaStream.getVideoTracks()]) {
      const transceiver = session.connection.addTransceiver(track, {
        direction: "sendonly",
        streams: [mediaStream],
        ...(track.kind === "video" && encodings ? { sendEncodings: encodings } : {}),
      });
      if (track.kind === "video" && codec) transceiver.setCodecPreferences(codecs);
    }
    return session;
  }

  /**
   * @param {{audio?: string, video?: string}} from the streams whose tracks are wanted
   * @param {string} [codec] the only video codec to offer
   */
  static forSubscription({ audio, video }, codec) {
    const session = new Session(new MediaStream());
    session.from = { audio, video };
    session.connection.addEventListener("track", ({ track }) => {
      session.mediaStream.addTrack(track);
    });
    // Audio first: the order of the m-lines is what servers of protocol 1.1 expect.
    if (audio) session.connection.addTransceiver("audio", { direction: "recvonly" });
    if (video) {
      const transceiver = session.connection.addTransceiver("video", { direction: "recvonly" });
      if (codec) transceiver.setCodecPreferences(videoCodecs(codec, RTCRtpReceiver));
    }
    return session;
  }

  constructor(mediaStream) {
    this.mediaStream = mediaStream;
    this.ready = new Promise((resolve, reject) => {
      this.#becomeReady = resolve;
      this.#giveUp = reject;
    });
    // Whoever establishes the session waits for `ready`, but an earlier step may fail first.
    this.ready.catch(() => {});
    this.connection.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate?.candidate) this.#trickle(candidate);
    });
  }

  /** Sends the offer; `signal` delivers one signaling object and resolves on its ack. */
  async negotiate(id, signal) {
    this.id = id;
    this.#signal = signal;
    this.#deadline = setTimeout(() => this.fail("no connection in time"), READY_TIMEOUT_MS);
    await this.connection.setLocalDescription();
    const { type, sdp } = this.connection.localDescription;
    await signal({ type, sdp });
  }

  /** Takes what the server signals; candidates need no care, its answer is complete. */
  async accept(signaling) {
    if (signaling.type !== "answer" || this.#state === "ended") return;
    try {
      await this.connection.setRemoteDescription(signaling);
    } catch (error) {
      this.fail(`the server's answer is unusable: ${error.message}`);
      return;
    }
    for (const candidate of this.#waitingCandidates.splice(0)) this.#trickle(candidate);
  }

  markReady() {
    if (this.#state !== "connecting") return;
    this.#state = "ready";
    this.readyAt = performance.now();
    clearTimeout(this.#deadline);
    this.#becomeReady();
  }

  /** Ends the session with a reason; tells whether it had been ready. */
  fail(reason) {
    const wasReady = this.#state === "ready";
    this.#giveUp(new SessionError(reason));
    this.close();
    return wasReady;
  }

  close() {
    if (this.#state === "ended") return;
    this.#state = "ended";
    clearTimeout(this.#deadline);
    this.#giveUp(new SessionError("closed"));
    this.connection.close();
  }

  // The server takes candidates once it has answered; before that they wait.
  #trickle(candidate) {
    if (!this.#signal || this.connection.signalingState !== "stable") {
      this.#waitingCandidates.push(candidate);
      return;
    }
    const message = {
      type: "candidate",
      candidate: {
        // OWT's SDKs send an SDP line, not the bare attribute.
        candidate: `a=${candidate.candidate}`,
        sdpMid: candidate.sdpMid,
        sdpMLineIndex: candidate.sdpMLineIndex,
      },
    };
    // One lost candidate is no failure: others follow, and `ready` has its own deadline.
    this.#signal(message).catch((error) => console.warn("candidate refused:", error.message));
  }
}

// One codec with all its profiles, as a sender or a receiver has it, and what repairs losses.
function videoCodecs(name, end) {
  const mimeType = `video/${name}`.toLowerCase();
  const codecs = end.getCapabilities("video").codecs;
  const wanted = codecs.filter((codec) => codec.mimeType.toLowerCase() === mimeType);
  if (wanted.length === 0) throw new SessionError(`this browser has no ${name}`);
  const repair = codecs.filter((codec) => /\/(rtx|red|ulpfec)$/i.test(codec.mimeType));
  return [...wanted, ...repair];
}
