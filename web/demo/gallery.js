// Everybody's pictures one by one, as they are forwarded.

import { fitGrid } from "./grid.js";
import { explain } from "./messages.js";
import { isWorthAnother } from "./session.js";
import { Tile } from "./tile.js";

const OWN = "own";

export class Gallery {
  #client;
  #notice;
  #signal;
  #tiles = new Map();
  #isQuiet = false;
  #grid = document.getElementById("tiles");

  constructor({ client, notice, signal }) {
    this.#client = client;
    this.#notice = notice;
    this.#signal = signal;
    const on = (name, act) => client.addEventListener(name, ({ detail }) => act(detail), { signal });
    on("stream-add", (stream) => this.#watch(stream));
    on("stream-update", ({ stream }) => this.#tiles.get(stream.id)?.showStatus(stream.media));
    on("stream-remove", ({ id }) => this.#remove(id));
    on("session-end", ({ session, reason }) => this.#ended(session, reason));
    const observer = new ResizeObserver(() => this.#layOut());
    observer.observe(this.#grid);
    signal.addEventListener("abort", () => {
      observer.disconnect();
      for (const tile of this.#tiles.values()) tile.remove();
      this.#tiles.clear();
    });
    this.#layOut();
    for (const stream of client.streams.values()) this.#watch(stream);
  }

  /** Shows the own picture. */
  showOwn(mediaStream, { name, mirrored }) {
    this.hideOwn();
    const tile = this.#add(OWN, `${name} (you)`, name);
    tile.play(mediaStream, { own: true, mirrored });
  }

  hideOwn() {
    this.#remove(OWN);
  }

  /** Shows what of the own picture and sound is paused. */
  showOwnStatus(media) {
    this.#tiles.get(OWN)?.showStatus(media);
  }

  /** Silences the others, or lets them be heard again. */
  setQuiet(quiet) {
    this.#isQuiet = quiet;
    for (const tile of this.#tiles.values()) tile.setQuiet(quiet);
  }

  async #watch(stream) {
    const own = stream.info.owner === this.#client.self.id;
    if (stream.type !== "forward" || own || this.#tiles.has(stream.id)) return;
    const name = this.#nameOf(stream);
    const tile = this.#add(stream.id, name, name);
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
      if (gone || this.#signal.aborted) return;
      this.#remove(stream.id);
      this.#notice.show(explain(error));
    }
  }

  #nameOf({ info }) {
    const owner = this.#client.participants.get(info.owner);
    return info.attributes?.name || owner?.user || "Somebody";
  }

  #ended(session, reason) {
    for (const [id, tile] of this.#tiles) {
      if (tile.session !== session) continue;
      this.#remove(id);
      const stream = this.#client.streams.get(id);
      if (stream && isWorthAnother(session, reason)) this.#watch(stream);
    }
  }

  #add(id, caption, name) {
    const tile = new Tile({ caption, name });
    tile.setQuiet(this.#isQuiet);
    this.#tiles.set(id, tile);
    if (id === OWN) this.#grid.prepend(tile.element);
    else this.#grid.append(tile.element);
    this.#layOut();
    return tile;
  }

  #remove(id) {
    this.#tiles.get(id)?.remove();
    this.#tiles.delete(id);
    this.#layOut();
  }

  #layOut() {
    document.getElementById("no-tiles").hidden = this.#tiles.size > 0;
    fitGrid(this.#grid, this.#tiles.size);
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
    document.addEventListener("click", resume, { once: true, signal: this.#signal });
  }
}
