// One room: its views, who is in it, what they send and take.

import { element, hueOf, icon, initials, plural } from "/shared/page.js";
import { View } from "./view.js";

const STATUS = { active: "on", inactive: "paused" };

export class Room {
  #place;
  #views = new Map();
  #title = element("h2");
  #state = element("p", { className: "hint" });
  #gallery = element("div", { className: "views" });
  #people = element("ul", { className: "people" });

  /** @param {HTMLElement} place where it is shown */
  constructor(place, id) {
    this.id = id;
    this.#place = place;
    place.replaceChildren(
      element("header", {}, this.#title, this.#state),
      this.#gallery,
      element("h3", { textContent: "People" }),
      this.#people,
    );
  }

  show(room) {
    const { participants, streams, subscriptions } = room;
    this.#title.textContent = room.name;
    this.#state.textContent = room.running
      ? [
          room.id,
          plural(participants.length, "participant"),
          plural(streams.filter((stream) => stream.type === "forward").length, "stream"),
          plural(subscriptions.length, "subscription"),
        ].join(" · ")
      : `${room.id} · nobody is here`;
    this.#showViews(room);
    const rows = participants.map((one) => person(one, streams, subscriptions));
    const nobody = element("li", { className: "hint", textContent: "Nobody yet." });
    this.#people.replaceChildren(...(rows.length > 0 ? rows : [nobody]));
  }

  /** Fetches every view's picture. */
  refresh(api) {
    const pictures = [...this.#views.values()];
    return Promise.all(
      pictures.map((view) => view.refresh(() => api.snapshot(this.id, view.label))),
    );
  }

  remove() {
    for (const view of this.#views.values()) view.dispose();
    this.#place.replaceChildren();
  }

  #showViews({ views, streams, participants }) {
    const nameOf = (id) => {
      const owner = streams.find((stream) => stream.id === id)?.info.owner;
      return participants.find((one) => one.id === owner)?.user ?? id;
    };
    const labels = views.map((view) => view.label);
    for (const [label, view] of this.#views) {
      if (labels.includes(label)) continue;
      view.dispose();
      view.element.remove();
      this.#views.delete(label);
    }
    for (const view of views) {
      if (!this.#views.has(view.label)) {
        const made = new View(view.label);
        this.#views.set(view.label, made);
        this.#gallery.append(made.element);
      }
      const stream = streams.find((stream) => stream.id === view.stream);
      this.#views.get(view.label).show(view, stream?.info.layout ?? [], nameOf);
    }
  }
}

function person(one, streams, subscriptions) {
  const published = streams.filter((stream) => stream.info.owner === one.id);
  const taken = subscriptions.filter((subscription) => subscription.owner === one.id);
  const waiting = taken.filter((subscription) => !subscription.ready).length;
  const avatar = element("span", { className: "avatar", textContent: initials(one.user) });
  avatar.style.setProperty("--hue", hueOf(one.user));
  const watches = taken.length > 0 ? plural(taken.length, "subscription") : "no subscriptions";
  const connecting = waiting > 0 ? `, ${waiting} still connecting` : "";
  return element(
    "li",
    {},
    avatar,
    element(
      "div",
      { className: "person" },
      element("strong", { textContent: one.user }),
      element("span", { className: "tag", textContent: one.role }),
      limits(one.permission),
      element("span", { className: "hint", textContent: watches + connecting }),
      ...published.map(streamLine),
    ),
  );
}

/** What somebody may not do, because what one may is the rule. */
function limits({ publish, subscribe }) {
  const missing = [
    ["send sound", publish.audio],
    ["send pictures", publish.video],
    ["hear", subscribe.audio],
    ["see", subscribe.video],
  ].filter(([, allowed]) => !allowed);
  if (missing.length === 0) return null;
  const text = `may not ${missing.map(([what]) => what).join(", ")}`;
  return element("span", { className: "hint", textContent: text });
}

function streamLine({ id, media, info }) {
  const line = element("div", { className: "stream" });
  for (const [kind, symbol, track] of [
    ["sound", "microphone", media.audio],
    ["picture", "camera", media.video],
  ]) {
    if (!track) continue;
    const status = STATUS[track.status] ?? "on";
    line.append(
      element(
        "span",
        { className: `track ${status}` },
        icon(symbol, `${kind} ${status}`),
        describe(track),
        status === "paused" ? element("em", { textContent: "paused" }) : null,
      ),
    );
  }
  for (const view of info.inViews ?? []) {
    line.append(element("span", { className: "tag", textContent: `in ${view}` }));
  }
  line.append(element("code", { title: id, textContent: id.slice(0, 8) }));
  return line;
}

function describe({ format, original, source }) {
  const { codec } = format ?? original[0].format;
  const size = original?.[0].parameters?.resolution;
  const pixels = size ? `${size.width}×${size.height}` : null;
  return [codec, pixels, source].filter(Boolean).join(" · ");
}
