// The page in a room: everybody's pictures, the people, the controls.

import { Chat } from "./chat.js";
import { fitGrid } from "./grid.js";
import { explain } from "./messages.js";
import { Tile } from "./tile.js";

export class Room {
  /** Resolves once the room is left: to nothing, or to what should be told. */
  left;

  #client;
  #source;
  #name;
  #notice;
  #codec;
  #chat;
  #publication = null;
  #tiles = new Map();
  #endListening = new AbortController();
  #resolveLeft;

  #page = document.getElementById("room");
  #grid = document.getElementById("tiles");
  #people = document.getElementById("people");
  #side = document.getElementById("side");
  #sideButton = document.getElementById("toggle-side");
  #buttons = {
    audio: document.getElementById("mute-audio"),
    video: document.getElementById("mute-video"),
  };

  constructor({ client, source, name, notice, codec }) {
    this.#client = client;
    this.#source = source;
    this.#name = name;
    this.#notice = notice;
    this.#codec = codec;
    this.left = new Promise((resolve) => {
      this.#resolveLeft = resolve;
    });
    this.#chat = new Chat({ client, notice, signal: this.#endListening.signal });
  }

  show() {
    document.title = `${this.#client.room} – Portico`;
    document.getElementById("room-title").textContent = this.#client.room;
    this.#page.hidden = false;
    this.#setSideOpen(window.innerWidth >= 800);
    this.#listenToClient();
    this.#listenToControls();
    this.#showPeople();
    for (const stream of this.#client.streams.values()) this.#watch(stream);
    this.#publish();
  }

  hide() {
    this.#endListening.abort();
    for (const tile of this.#tiles.values()) tile.remove();
    this.#tiles.clear();
    this.#source?.stop();
    this.#page.hidden = true;
  }

  #listenToClient() {
    const on = (name, act) => {
      this.#client.addEventListener(name, ({ detail }) => act(detail), {
        signal: this.#endListening.signal,
      });
    };
    on("participant-join", () => this.#showPeople());
    on("participant-leave", () => this.#showPeople());
    on("stream-add", (stream) => this.#watch(stream));
    on("stream-update", ({ stream }) => {
      this.#tiles.get(stream.id)?.showStatus(stream.media);
      if (stream.id === this.#publication?.id) this.#showOwnStatus(stream.media);
    });
    on("stream-remove", ({ id }) => this.#removeTile(id));
    on("session-end", ({ session, reason }) => this.#sessionEnded(session, reason));
    on("end", ({ reason }) => this.#resolveLeft(endMessage(reason)));
  }

  #listenToControls() {
    const on = (target, name, act) => {
      target.addEventListener(name, act, { signal: this.#endListening.signal });
    };
    on(this.#buttons.audio, "click", () => this.#toggleMute("audio"));
    on(this.#buttons.video, "click", () => this.#toggleMute("video"));
    on(this.#sideButton, "click", () => this.#setSideOpen(this.#side.hidden));
    on(document.getElementById("leave"), "click", () => this.#leave());
    on(window, "pagehide", () => this.#client.leave().catch(() => {}));
    const observer = new ResizeObserver(() => this.#layOut());
    observer.observe(this.#grid);
    this.#endListening.signal.addEventListener("abort", () => observer.disconnect());
  }

  async #publish() {
    const allowed = this.#client.self.permission?.publish ?? {};
    const mediaStream = this.#source?.mediaStream;
    const tracks = (mediaStream?.getTracks() ?? []).filter(({ kind }) => allowed[kind]);
    this.#enableControls(tracks);
    if (tracks.length === 0) return;
    const own = new MediaStream(tracks);
    const tile = this.#addTile("own", `${this.#name} (you)`, this.#name);
    tile.play(own, { own: true, mirrored: this.#source.mirrored });
    try {
      this.#publication = await this.#client.publish(own, {
        attributes: { name: this.#name },
        codec: this.#codec,
      });
      this.#enableControls(tracks);
    } catch (error) {
      if (this.#endListening.signal.aborted) return;
      this.#removeTile("own");
      this.#notice.show(explain(error));
    }
  }

  async #watch(stream) {
    const own = stream.info.owner === this.#client.self.id;
    if (stream.type !== "forward" || own || this.#tiles.has(stream.id)) return;
    const name = this.#nameOf(stream);
    const tile = this.#addTile(stream.id, name, name);
    tile.showStatus(stream.media);
    try {
      const session = await this.#client.subscribe({
        audio: stream.media.audio && stream.id,
        video: stream.media.video && stream.id,
      });
      tile.session = session;
      const heard = await tile.play(session.mediaStream, { own: false, mirrored: false });
      if (!heard) this.#askForClick();
    } catch (error) {
      // A stream, or the room, may go meanwhile; then there is nothing to tell.
      const gone = !this.#client.streams.has(stream.id);
      if (gone || this.#endListening.signal.aborted) return;
      this.#removeTile(stream.id);
      this.#notice.show(explain(error));
    }
  }

  #nameOf({ info }) {
    const owner = this.#client.participants.get(info.owner);
    return info.attributes?.name || owner?.user || "Somebody";
  }

  #sessionEnded(session, reason) {
    if (session === this.#publication) {
      this.#publication = null;
      this.#removeTile("own");
      this.#enableControls([]);
      this.#notice.show({ what: `Your picture was stopped: ${reason}.`, todo: "Leave, then join again." });
      return;
    }
    for (const [id, tile] of this.#tiles) {
      if (tile.session === session) this.#removeTile(id);
    }
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
    this.#tiles.get("own")?.showStatus(media);
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

  #addTile(id, caption, name) {
    const tile = new Tile({ caption, name });
    this.#tiles.set(id, tile);
    if (id === "own") this.#grid.prepend(tile.element);
    else this.#grid.append(tile.element);
    this.#layOut();
    return tile;
  }

  #removeTile(id) {
    this.#tiles.get(id)?.remove();
    this.#tiles.delete(id);
    this.#layOut();
  }

  #layOut() {
    document.getElementById("no-tiles").hidden = this.#tiles.size > 0;
    fitGrid(this.#grid, this.#tiles.size);
  }

  #showPeople() {
    const people = [...this.#client.participants.values()];
    const rows = people.map(({ id, user, role }) => {
      const row = document.createElement("li");
      const own = id === this.#client.self.id;
      row.append(own ? `${user} (you)` : user);
      const detail = document.createElement("span");
      detail.className = "hint";
      detail.textContent = role;
      row.append(detail);
      return row;
    });
    this.#people.replaceChildren(...rows);
    const others = people.length - 1;
    document.getElementById("room-count").textContent =
      others === 0 ? "You are alone here" : `You and ${others} more`;
    this.#chat.showReceivers(people);
  }

  #setSideOpen(open) {
    this.#side.hidden = !open;
    this.#sideButton.setAttribute("aria-expanded", String(open));
    this.#page.classList.toggle("with-side", open);
  }

  #askForClick() {
    this.#notice.show({
      what: "Your browser holds the sound back.",
      todo: "Click anywhere on the page to hear the others.",
    });
    const resume = () => {
      for (const tile of this.#tiles.values()) tile.unmute();
      this.#notice.hide();
    };
    document.addEventListener("click", resume, { once: true, signal: this.#endListening.signal });
  }
}

function endMessage(reason) {
  if (reason === "dropped") {
    return { what: "You were removed from the room.", todo: "Ask its host before you join again." };
  }
  return { what: "The connection to the server was lost.", todo: "Join again when it is back." };
}
