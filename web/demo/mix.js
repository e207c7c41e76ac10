// The room's mixed view as the page knows it: who is in it, how it is laid out, and what may be
// done about that.

import { LAYOUTS, nameOf } from "./layouts.js";

/** Events: `change`, when somebody goes in or out, or the layout changes. */
export class Mix extends EventTarget {
  /** Whether this is the demo room, where everybody may do everything. */
  isOpen;

  #client;
  #members = new Set();
  #layout = "grid";

  constructor({ client, isOpen, signal }) {
    super();
    this.#client = client;
    this.isOpen = isOpen;
    const on = (name, act) => client.addEventListener(name, ({ detail }) => act(detail), { signal });
    on("stream-add", (stream) => this.#look(stream));
    on("stream-update", ({ stream, field }) => {
      if (field === "." || stream.id === this.stream?.id) this.#look(stream);
    });
    on("stream-remove", ({ id }) => this.#set(id, false));
    for (const stream of client.streams.values()) this.#look(stream);
  }

  /** The mixed stream: the first that has a picture. */
  get stream() {
    return [...this.#client.streams.values()].find(({ type, media }) => {
      return type === "mixed" && media.video;
    });
  }

  /** The name of the layout: a key of `LAYOUTS`. */
  get layout() {
    return this.#layout;
  }

  has({ id }) {
    return this.#members.has(id);
  }

  /** Whether this participant may put a stream in or take it out. */
  mayMove({ info }) {
    return Boolean(this.stream) && (this.isOpen || info.owner === this.#client.self.id);
  }

  /** Puts a stream in, or takes it out. */
  async move({ id, info }, mixed) {
    const view = this.stream.info.label;
    if (info.owner === this.#client.self.id) await this.#client.setMixed(id, view, mixed);
    else await ask("/demo/mix", { room: this.#client.room, view, stream: id, mixed });
    this.#set(id, mixed);
  }

  /** @param {string} name a key of `LAYOUTS` */
  async choose(name) {
    const view = this.stream.info.label;
    await ask("/demo/layout", { room: this.#client.room, view, templates: LAYOUTS[name] });
    this.#layout = name;
    this.dispatchEvent(new Event("change"));
  }

  #look(stream) {
    if (stream.type === "forward") {
      const label = this.stream?.info.label;
      this.#set(stream.id, (stream.info.inViews ?? []).includes(label));
      return;
    }
    if (stream.id !== this.stream?.id) return;
    this.#layout = nameOf(stream.info.layout) ?? this.#layout;
    // Nobody is told who goes into a view or out of it, except by what it shows. Sound alone is not
    // shown, so what is known of it stays.
    const shown = new Set(stream.info.layout.map(({ stream: id }) => id));
    for (const { id, type, media } of this.#client.streams.values()) {
      if (type === "forward" && media.video) this.#set(id, shown.has(id));
    }
    this.dispatchEvent(new Event("change"));
  }

  #set(id, mixed) {
    if (this.#members.has(id) === mixed) return;
    if (mixed) this.#members.add(id);
    else this.#members.delete(id);
    this.dispatchEvent(new Event("change"));
  }
}

async function ask(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error((await response.text()).trim() || response.statusText);
}
