// A client of the room-signal dialect, as one is written against its description: loaded into pages
// under test.

globalThis.SignalsClient = class {
  constructor({ token, room, channel, userId, sessionId }) {
    this.session = {
      userId,
      sessionId,
      category: "stream",
      host: "Web",
      deviceId: `${sessionId}-device`,
    };
    Object.assign(this, { token, room, channel, heard: [], publishers: [], watched: {} });
  }

  async open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const query = new URLSearchParams({ token: this.token });
    this.socket = new WebSocket(`${scheme}://${location.host}/signals?${query}`);
    this.socket.onmessage = ({ data }) => this.hear(JSON.parse(data));
    await new Promise((resolve, reject) => {
      this.socket.onopen = resolve;
      this.socket.onerror = reject;
    });
    this.beating = setInterval(() => {
      this.send("heartbeat", "HEARTBEAT", { bid: crypto.randomUUID(), send_ack: true });
    }, 3000);
  }

  hear(message) {
    if (message.b?.pps && message.s !== "WATCH") this.publishers = message.b.pps;
    if (message.s === "HEARTBEAT") return;
    if (message.c === undefined && this.channel === "p2p") this.negotiate(message);
    this.heard.push(message);
    this.wake?.();
  }

  send(action, s, members) {
    const { session: ss, room: rid, channel: ch } = this;
    this.socket.send(JSON.stringify({ action, data: { s, ch, ss, rid, ...members } }));
  }

  /** The next message that fits, from now on or from before; it is taken out. */
  async next(fits) {
    for (;;) {
      const at = this.heard.findIndex(fits);
      if (at >= 0) return this.heard.splice(at, 1)[0];
      await new Promise((resolve) => (this.wake = resolve));
    }
  }

  /** Sends what has an ack, and takes its body. */
  async ask(action, s, members) {
    this.send(action, s, members);
    const { c, b } = await this.next((message) => message.s === s && message.c !== undefined);
    if (c !== 200) throw new Error(`${s}: ${c} ${b.msg}`);
    return b;
  }

  async join(options = {}) {
    const joined = await this.ask("join", "JOIN", { ve: true, ae: true, eg: "native", op: options });
    this.role = joined.pt;
    for (const { id, sdp } of joined.es.sdps) await this.receive(id, sdp);
    return joined;
  }

  /** The uplink; candidates follow the offer. */
  async publish(mediaStream) {
    const connection = new RTCPeerConnection();
    for (const track of mediaStream.getTracks()) connection.addTrack(track, mediaStream);
    connection.onicecandidate = ({ candidate }) => this.trickle(this.session, candidate);
    await connection.setLocalDescription(await connection.createOffer());
    const { sdp } = await this.ask("offer", "OFFER", { sdp: connection.localDescription.sdp });
    await connection.setRemoteDescription({ type: "answer", sdp });
    this.uplink = { connection, mediaStream };
  }

  async watch(id) {
    const { pps } = await this.ask("watch", "WATCH", { to: { userId: "", sessionId: id } });
    return this.receive(id, pps[0].sdp);
  }

  /** Answers an offer of the server's; candidates follow the answer. */
  async receive(id, sdp) {
    const to = { userId: "", sessionId: id };
    const connection = new RTCPeerConnection();
    const mediaStream = new MediaStream();
    connection.ontrack = ({ track }) => mediaStream.addTrack(track);
    connection.onicecandidate = ({ candidate }) => this.trickle(to, candidate);
    await connection.setRemoteDescription({ type: "offer", sdp });
    await connection.setLocalDescription(await connection.createAnswer());
    this.send("answer", "ANSWER", { to, sdp: connection.localDescription.sdp });
    this.watched[id] = { connection, mediaStream };
    return this.watched[id];
  }

  trickle(to, candidate) {
    if (!candidate) return;
    const sdp = this.channel === "p2p" ? JSON.stringify(candidate) : candidate.candidate;
    this.send("iceCandidate", "ICE", { to, sdp });
  }

  /** A call's connection to the one other person. */
  call(peer, mediaStream) {
    const connection = new RTCPeerConnection();
    const received = new MediaStream();
    connection.ontrack = ({ track }) => received.addTrack(track);
    for (const track of mediaStream.getTracks()) connection.addTrack(track, mediaStream);
    connection.onicecandidate = ({ candidate }) => this.trickle(peer, candidate);
    this.peer = peer;
    this.called = { connection, mediaStream: received };
    return this.called;
  }

  /** The callee offers. */
  async offerTo(peer, mediaStream) {
    const { connection } = this.call(peer, mediaStream);
    await connection.setLocalDescription(await connection.createOffer());
    this.send("offer", "OFFER", { to: peer.userId, sdp: connection.localDescription.sdp });
  }

  /** What the other one of a call says; one thing after the other. */
  negotiate({ s, ss, sdp }) {
    this.busy = (this.busy ?? Promise.resolve()).then(async () => {
      if (s === "OFFER") {
        const { connection } = this.call(ss, this.media);
        await connection.setRemoteDescription({ type: "offer", sdp });
        await connection.setLocalDescription(await connection.createAnswer());
        const to = { userId: ss.userId, sessionId: ss.sessionId };
        this.send("answer", "ANSWER", { to, sdp: connection.localDescription.sdp });
      }
      const connection = this.called?.connection;
      if (s === "ANSWER") await connection.setRemoteDescription({ type: "answer", sdp });
      if (s === "ICE") await connection.addIceCandidate(JSON.parse(sdp));
    });
  }
};
