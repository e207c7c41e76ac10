// One participant's picture with a name, and initials while there is no picture.

import { hueOf, initials } from "/shared/page.js";

export class Tile {
  element = document.getElementById("tile-template").content.firstElementChild.cloneNode(true);
  /** The subscription shown here; null for the own picture. */
  session = null;

  #video = this.element.querySelector("video");
  #own = false;
  #isQuiet = false;

  constructor({ caption, name }) {
    this.element.querySelector(".tile-name").textContent = caption;
    const avatar = this.element.querySelector(".avatar");
    avatar.textContent = initials(name);
    avatar.style.setProperty("--hue", hueOf(name));
  }

  /** Plays a stream; tells whether its sound may be heard yet. */
  async play(mediaStream, { own, mirrored }) {
    this.#own = own;
    this.#video.muted = own || this.#isQuiet;
    this.element.classList.toggle("mirrored", mirrored);
    this.#video.srcObject = mediaStream;
    try {
      await this.#video.play();
    } catch (error) {
      if (error.name !== "NotAllowedError") return true;
      this.#video.muted = true;
      await this.#video.play();
      return false;
    }
    return true;
  }

  /** Silences it while something else is heard. */
  setQuiet(quiet) {
    this.#isQuiet = quiet;
    this.unmute();
  }

  unmute() {
    this.#video.muted = this.#own || this.#isQuiet;
  }

  /** @param {{audio?: {status?: string}, video?: {status?: string}}} media */
  showStatus({ audio, video }) {
    this.element.querySelector(".tile-muted").toggleAttribute("hidden", isActive(audio));
    this.element.classList.toggle("no-picture", !isActive(video));
  }

  remove() {
    this.#video.srcObject = null;
    this.element.remove();
  }
}

function isActive(part) {
  return Boolean(part) && part.status !== "inactive";
}
