// Draws one view: who sits in which region, over the picture that the view shows.

import { Refused } from "./api.js";
import { element, fraction, hueOf } from "/shared/page.js";

export class View {
  element = element("figure", { className: "view" });

  #picture = element("img", { alt: "", hidden: true });
  #regions = element("div", { className: "regions" });
  #state = element("p", { className: "view-state hint" });
  #caption = element("figcaption");
  #drawn = "";

  constructor(label) {
    const canvas = element("div", { className: "canvas" }, this.#picture, this.#regions);
    canvas.append(this.#state);
    this.element.append(canvas, this.#caption);
    this.label = label;
  }

  /**
   * @param {object} view label, resolution and background
   * @param {object[]} layout regions, each with the stream in it if there is one
   * @param {(stream: string) => string} nameOf who publishes a stream
   */
  show(view, layout, nameOf) {
    const { resolution, background, status } = view;
    const size = resolution ? `${resolution.width} × ${resolution.height}` : "sound only";
    this.#caption.replaceChildren(element("strong", { textContent: this.label }), ` ${size}`);
    if (status) this.#caption.append(` · ${status}`);
    const drawn = JSON.stringify([resolution, background, layout.map(named(nameOf))]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const canvas = this.element.firstElementChild;
    canvas.hidden = !resolution;
    if (!resolution) return;
    canvas.style.aspectRatio = `${resolution.width} / ${resolution.height}`;
    if (background) {
      canvas.style.backgroundColor = `rgb(${background.r} ${background.g} ${background.b})`;
    }
    const aspect = resolution.width / resolution.height;
    this.#regions.replaceChildren(...layout.map((seat) => region(seat, aspect, nameOf)));
  }

  /** Fetches the picture; without one it says why. */
  async refresh(fetchPicture) {
    try {
      const url = URL.createObjectURL(await fetchPicture());
      const old = this.#picture.src;
      this.#picture.src = url;
      await this.#picture.decode();
      if (old) URL.revokeObjectURL(old);
      this.#picture.hidden = false;
      this.#state.textContent = "";
    } catch (error) {
      this.#picture.hidden = true;
      this.#state.textContent = error instanceof Refused ? error.message : "no picture";
    }
  }

  dispose() {
    if (this.#picture.src) URL.revokeObjectURL(this.#picture.src);
  }
}

function named(nameOf) {
  return (seat) => [seat, seat.stream ? nameOf(seat.stream) : null];
}

function region(seat, aspect, nameOf) {
  const { id, shape, area } = seat.region;
  const made = element("div", { className: "region" });
  const place = shape === "circle" ? circle(area, aspect) : rectangle(area);
  for (const [side, share] of Object.entries(place)) made.style[side] = `${share * 100}%`;
  if (shape === "circle") made.style.borderRadius = "50%";
  const name = seat.stream ? nameOf(seat.stream) : "";
  made.classList.toggle("taken", Boolean(name));
  if (name) made.style.setProperty("--hue", hueOf(name));
  made.append(element("span", { textContent: name || id }));
  return made;
}

function rectangle({ left, top, width, height }) {
  return {
    left: fraction(left),
    top: fraction(top),
    width: fraction(width),
    height: fraction(height),
  };
}

/** A circle's radius is a share of the width. */
function circle({ centerW, centerH, radius }, aspect) {
  const width = fraction(radius);
  const height = width * aspect;
  return {
    left: fraction(centerW) - width,
    top: fraction(centerH) - height,
    width: width * 2,
    height: height * 2,
  };
}
