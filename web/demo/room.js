// The page in a room: everybody's pictures, the mix, the people, the controls.

import { Chat } from "./chat.js";
import { Gallery } from "./gallery.js";
import { explain } from "./messages.js";
import { Mix } from "./mix.js";
import { People } from "./people.js";
import { isWorthAnother } from "./session.js";
import { Stage } from "./stage.js";

export class Room {
  /** Resolves once the room is left: to nothing, or to what should be told. */
  left;

  #client;
  #source;
  #name;
  #notice;
  #codec;
  #gallery;
  #publication = null;
  #endListening = new AbortController();
  #resolveLeft;

  #page = document.getElementById("room");
  #side = document.getElementById("side");
  #sideButton = document.getElementById("toggle-side");
  #connection = document.getElementById("connection");
  #buttons = {
    audio: document.getElementById("mute-audio"),
    video: document.getElementById("mute-video"),
  };

  /** `isDemo` tells whether this is the room whose mix everybody may change. */
  constructor({ client, source, name, notice, codec, isDemo }) {
    this.#client = client;
    this.#source = source;
    this.#name = name;
    this.#notice = notice;
    this.#codec = codec;
    this.left = new Promise((resolve) => {
      this.#resolveLeft = resolve;
    });
    this.#show(isDemo);
  }

  hide() {
    this.#endListening.abort();
    this.#source?.stop();
    this.#page.hidden = true;
  }

  #show(isDemo) {
    document.title = `${this.#client.room} – Portico`;
    document.getElementById("room-title").textContent = this.#client.room;
    this.#page.hidden = false;
    this.#setSideOpen(window.innerWidth >= 800);
    const parts = {
      client: this.#client,
      notice: this.#notice,
      signal: this.#endListening.signal,
    };
    new Chat(parts);
    this.#gallery = new Gallery(parts);
    const mix = new Mix({ ...parts, isOpen: isDemo });
    new People({ ...parts, mix });
    new Stage({ ...parts, mix, onHear: (heard) => this.#gallery.setQuiet(heard) });
    this.#listen();
    this.#publish();
  }

  #listen() {
    const { signal } = this.#endListening;
    const on = (target, name, act) => target.addEventListener(name, act, { signal });
    const told = (name, act) => on(this.#client, name, ({ detail }) => act(detail));
    told("stream-update", ({ stream }) => {
      if (stream.id === this.#publication?.id) this.#showOwnStatus(stream.media);
    });
    told("session-end", ({ session, reason }) => this.#sessionEnded(session, reason));
    told("interrupt", () => (this.#connection.hidden = false));
    told("resume", () => (this.#connection.hidden = true));
    told("end", ({ reason }) => this.#resolveLeft(endMessage(reason)));
    this.#connection.hidden = true;
    on(this.#buttons.audio, "click", () => this.#toggleMute("audio"));
    on(this.#buttons.video, "click", () => this.#toggleMute("video"));
    on(this.#sideButton, "click", () => this.#setSideOpen(this.#side.hidden));
    on(document.getElementById("leave"), "click", () => this.#leave());
    on(window, "pagehide", () => this.#client.leave().catch(() => {}));
  }

  async #publish() {
    const allowed = this.#client.self.permission?.publish ?? {};
    const mediaStream = this.#source?.mediaStream;
    const tracks = (mediaStream?.getTracks() ?? []).filter(({ kind }) => allowed[kind]);
    this.#enableControls(tracks);
    if (tracks.length === 0) return;
    const own = new MediaStream(tracks);
    this.#gallery.showOwn(own, { name: this.#name, mirrored: this.#source.mirrored });
    try {
      this.#publication = await this.#client.publish(own, {
        attributes: { name: this.#name },
        codec: this.#codec,
      });
      this.#enableControls(tracks);
      await this.#pauseWhatWasMuted(tracks);
    } catch (error) {
      if (this.#endListening.signal.aborted) return;
      this.#gallery.hideOwn();
      this.#notice.show(explain(error));
    }
  }

  // Of a publication that took the place of another one.
  async #pauseWhatWasMuted(tracks) {
    for (const { kind, enabled } of tracks) {
      if (!enabled) await this.#client.setPaused(this.#publication.id, kind, true);
    }
  }

  #sessionEnded(session, reason) {
    if (session !== this.#publication) return;
    this.#publication = null;
    if (isWorthAnother(session, reason)) {
      this.#publish();
      return;
    }
    this.#gallery.hideOwn();
    this.#enableControls([]);
    this.#notice.show({
      what: `Your picture was stopped: ${reason}.`,
      todo: "Leave, then join again.",
    });
  }

  async #toggleMute(kind) {
    const muted = this.#buttons[kind].getAttribute("aria-pressed") !== "true";
    const { id, mediaStream } = this.#publication;
    // The server stops forwarding; besides, nothing that was muted should leave this machine.
    for (const track of mediaStream.getTracks()) {
      if (track.kind === kind) track.enabled = !muted;
    }
    try {
      await this.#client.setPaused(id, kind, muted);
    } catch (error) {
      this.#notice.show(explain(error));
    }
  }

  // What the server says counts: an administrator may mute as well.
  #showOwnStatus(media) {
    this.#gallery.showOwnStatus(media);
    const labels = { audio: ["Mute", "Unmute"], video: ["Stop video", "Start video"] };
    for (const kind of ["audio", "video"]) {
      const muted = media[kind]?.status === "inactive";
      this.#buttons[kind].setAttribute("aria-pressed", String(muted));
      this.#buttons[kind].querySelector("span").textContent = labels[kind][Number(muted)];
    }
  }

  #enableControls(tracks) {
    for (const kind of ["audio", "video"]) {
      const sent = this.#publication && tracks.some((track) => track.kind === kind);
      this.#buttons[kind].disabled = !sent;
    }
    if (!this.#publication) this.#showOwnStatus({});
  }

  async #leave() {
    try {
      await this.#client.leave();
    } catch {
      // The connection is closed either way.
    }
    this.#resolveLeft();
  }

  #setSideOpen(open) {
    this.#side.hidden = !open;
    this.#sideButton.setAttribute("aria-expanded", String(open));
    this.#page.classList.toggle("with-side", open);
  }
}

function endMessage(reason) {
  if (reason === "dropped") {
    return { what: "You were removed from the room.", todo: "Ask its host before you join again." };
  }
  return { what: "The connection to the server was lost.", todo: "Join again when it is back." };
}
