// Loaded into every page under test: what a person would see and hear of a session, as numbers.
// A session is an object of the demo page's client: `connection` and `mediaStream`.

globalThis.probes = {
  /** The only session of a client that receives a forwarded stream. */
  subscription(client) {
    return probes.only(probes.received(client, "forward"));
  },

  /** The only session of a client that receives the picture of a mixed stream. */
  mixed(client) {
    return probes.only(probes.received(client, "mixed").filter(({ from }) => from.video));
  },

  /** The only session of a client that receives the sound of a mixed stream. */
  mixedSound(client) {
    return probes.only(probes.received(client, "mixed").filter(({ from }) => from.audio));
  },

  /** The sessions of a client that receive streams of a type. */
  received(client, type) {
    return [...client.sessions.values()].filter(({ from }) => {
      return from && client.streams.get(from.video || from.audio)?.type === type;
    });
  },

  only(sessions) {
    if (sessions.length !== 1) throw new Error(`${sessions.length} subscriptions, not one`);
    return sessions[0];
  },

  /** One kind's inbound statistics, with the codec's name; undefined before the first packet. */
  async inbound(session, kind) {
    const report = await session.connection.getStats();
    for (const entry of report.values()) {
      if (entry.type === "inbound-rtp" && entry.kind === kind) {
        const codec = report.get(entry.codecId)?.mimeType;
        return { ...entry, codec };
      }
    }
    return undefined;
  },

  async framesDecoded(session) {
    return (await probes.inbound(session, "video"))?.framesDecoded ?? 0;
  },

  /** The hue of a picture's upper left corner, once it is that one; the deadline is the caller's. */
  async cornerTurns(session, hue, tolerance = 15) {
    for (;;) {
      const seen = await probes.cornerHue(session);
      if (seen !== null && Math.abs(((seen - hue + 540) % 360) - 180) <= tolerance) return seen;
    }
  },

  /** Waits until all hues at some places are as expected; the deadline is the caller's. */
  async huesTurn(session, places, expected, tolerance = 15) {
    for (;;) {
      const seen = await probes.hues(session, places);
      const fits = (hue, at) => {
        return hue !== null && Math.abs(((hue - expected[at] + 540) % 360) - 180) <= tolerance;
      };
      if (seen.every(fits)) return seen;
      session.probeSeen = seen;
    }
  },

  /** Waits for so many more frames; the deadline is the caller's. */
  async moreFrames(session, count) {
    const start = await probes.framesDecoded(session);
    while ((await probes.framesDecoded(session)) < start + count) await probes.pause(100);
  },

  /** How many frames are decoded in a while once those under way have been. */
  async framesWithin(session, { settleMs, watchMs }) {
    await probes.pause(settleMs);
    const start = await probes.framesDecoded(session);
    await probes.pause(watchMs);
    return (await probes.framesDecoded(session)) - start;
  },

  /** Listens with an analyser; the sound must be played by an element, else nothing is decoded. */
  analyser(session) {
    session.probeAnalyser ??= (() => {
      const player = new Audio();
      player.srcObject = new MediaStream(session.mediaStream.getAudioTracks());
      player.play();
      const audio = new AudioContext();
      const analyser = new AnalyserNode(audio, { fftSize: 8192, smoothingTimeConstant: 0 });
      audio.createMediaStreamSource(player.srcObject).connect(analyser);
      return analyser;
    })();
    return session.probeAnalyser;
  },

  /** The loudest sample heard in a while; full scale is 1. */
  async loudness(session, { listenMs }) {
    const analyser = probes.analyser(session);
    const samples = new Float32Array(analyser.fftSize);
    let loudest = 0;
    for (const end = performance.now() + listenMs; performance.now() < end; ) {
      analyser.getFloatTimeDomainData(samples);
      for (const sample of samples) loudest = Math.max(loudest, Math.abs(sample));
      await probes.pause(50);
    }
    return loudest;
  },

  /** Waits until something is heard; the deadline is the caller's. */
  async heard(session, loudness) {
    while ((await probes.loudness(session, { listenMs: 200 })) < loudness);
  },

  /** Waits until nothing louder is heard for so long; the deadline is the caller's. */
  async silent(session, loudness, listenMs) {
    while ((await probes.loudness(session, { listenMs })) >= loudness);
  },

  /** The frequency of the strongest tone, once one is heard. */
  async pitchHz(session) {
    await probes.heard(session, 0.01);
    const analyser = probes.analyser(session);
    const spectrum = new Float32Array(analyser.frequencyBinCount);
    let strongest = { decibels: -Infinity, bin: 0 };
    for (const end = performance.now() + 1500; performance.now() < end; ) {
      analyser.getFloatFrequencyData(spectrum);
      spectrum.forEach((decibels, bin) => {
        if (decibels > strongest.decibels) strongest = { decibels, bin };
      });
      await probes.pause(50);
    }
    return (strongest.bin * analyser.context.sampleRate) / analyser.fftSize;
  },

  /** The hue in degrees of a picture's upper left corner. */
  async cornerHue(session) {
    return (await probes.hues(session, [[8, 8]], { inPixels: true }))[0];
  },

  /** The hues at some places of one frame, given as shares of its width and height. */
  async hues(session, places, { inPixels = false } = {}) {
    const player = document.createElement("video");
    player.muted = true;
    player.srcObject = new MediaStream(session.mediaStream.getVideoTracks());
    await player.play();
    if (player.requestVideoFrameCallback) {
      await new Promise((resolve) => player.requestVideoFrameCallback(resolve));
    }
    const [wide, high] = inPixels ? [1, 1] : [player.videoWidth, player.videoHeight];
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const drawing = canvas.getContext("2d", { willReadFrequently: true });
    const seen = places.map(([x, y]) => {
      drawing.drawImage(player, x * wide, y * high, 1, 1, 0, 0, 1, 1);
      return probes.hue(drawing.getImageData(0, 0, 1, 1).data);
    });
    player.srcObject = null;
    return seen;
  },

  hue([red, green, blue]) {
    const high = Math.max(red, green, blue);
    const span = high - Math.min(red, green, blue);
    if (span < 16) return null;
    if (high === red) return (60 * ((green - blue) / span) + 360) % 360;
    if (high === green) return 60 * ((blue - red) / span) + 120;
    return 60 * ((red - green) / span) + 240;
  },

  /** Keeps everything that a client tells from now on, as [name, detail]. */
  record(client, names) {
    client.probeRecord = [];
    for (const name of names) {
      client.addEventListener(name, ({ detail }) => client.probeRecord.push([name, detail]));
    }
  },

  pause(ms) {
    return new Promise((resolve) => setTimeout(resolve, ms));
  },
};
