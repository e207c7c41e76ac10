// The mixed view on the page: its picture, its layouts, and its sound for whoever wants it.

import { explain } from "./messages.js";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export class Stage {
  #client;
  #mix;
  #notice;
  #signal;
  #onHear;
  #picture = null;
  #sound = null;
  #isAsking = false;
  #pauseMs = FIRST_PAUSE_MS;
  #timer = 0;

  #stage = document.getElementById("stage");
  #video = document.getElementById("stage-video");
  #empty = document.getElementById("stage-empty");
  #layouts = document.getElementById("layouts");
  #hear = document.getElementById("hear-mix");
  #audio = new Audio();

  /** `onHear` is told whether the mix is heard from now on, and not the others one by one. */
  constructor({ client, mix, notice, signal, onHear }) {
    this.#client = client;
    this.#mix = mix;
    this.#notice = notice;
    this.#signal = signal;
    this.#onHear = onHear;
    this.#layouts.hidden = !mix.isOpen;
    const on = (target, name, act) => target.addEventListener(name, act, { signal });
    on(mix, "change", () => this.#show());
    on(this.#layouts, "click", ({ target }) => this.#choose(target.closest("button")));
    on(this.#hear, "click", () => this.#toggleSound());
    on(client, "stream-update", ({ detail }) => {
      if (detail.stream.id === mix.stream?.id) this.#watch();
    });
    on(client, "session-end", ({ detail }) => this.#ended(detail.session));
    signal.addEventListener("abort", () => this.#dispose());
    this.#show();
    this.#watch();
  }

  /** Whether the mix is heard. */
  get isHeard() {
    return this.#sound !== null;
  }

  // A view may be out of order for a while, so it is asked for again and again.
  async #watch() {
    const view = this.#mix.stream;
    if (!view || this.#picture || this.#isAsking || this.#signal.aborted) return;
    clearTimeout(this.#timer);
    this.#isAsking = true;
    try {
      this.#picture = await this.#client.subscribe({ video: view.id });
      this.#pauseMs = FIRST_PAUSE_MS;
      this.#video.srcObject = this.#picture.mediaStream;
    } catch {
      this.#retry();
    } finally {
      this.#isAsking = false;
    }
    this.#show();
  }

  #retry() {
    if (this.#signal.aborted) return;
    this.#timer = setTimeout(() => this.#watch(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }

  #ended(session) {
    if (session === this.#picture) {
      this.#picture = null;
      this.#video.srcObject = null;
      this.#retry();
    } else if (session === this.#sound) {
      this.#setSound(null);
    }
    this.#show();
  }

  #show() {
    const view = this.#mix.stream;
    this.#stage.hidden = !this.#picture;
    const { width, height } = view?.media.video.original[0].parameters?.resolution ?? {};
    if (width && height) this.#stage.style.setProperty("--stage-ratio", `${width} / ${height}`);
    const layout = view?.info.layout ?? [];
    this.#empty.hidden = layout.some(({ stream }) => stream);
    this.#hear.hidden = !view?.media.audio;
    for (const button of this.#layouts.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.layout === this.#mix.layout));
    }
  }

  async #choose(button) {
    if (!button) return;
    try {
      await this.#mix.choose(button.dataset.layout);
    } catch (error) {
      this.#notice.show(explain(error));
    }
  }

  async #toggleSound() {
    this.#hear.disabled = true;
    try {
      if (this.#sound) {
        const { id } = this.#sound;
        this.#setSound(null);
        await this.#client.unsubscribe(id);
      } else {
        this.#setSound(await this.#client.subscribe({ audio: this.#mix.stream.id }));
      }
    } catch (error) {
      this.#notice.show(explain(error));
    } finally {
      this.#hear.disabled = false;
    }
  }

  #setSound(session) {
    this.#sound = session;
    this.#audio.srcObject = session?.mediaStream ?? null;
    this.#audio.play().catch(() => {});
    this.#hear.setAttribute("aria-pressed", String(session !== null));
    this.#onHear(session !== null);
  }

  #dispose() {
    clearTimeout(this.#timer);
    this.#video.srcObject = null;
    this.#audio.srcObject = null;
    this.#hear.setAttribute("aria-pressed", "false");
    this.#stage.hidden = true;
  }
}
