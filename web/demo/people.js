// Who is in the room, and whether their streams are in the mix.

import { element } from "/shared/page.js";
import { explain } from "./messages.js";

export class People {
  #client;
  #mix;
  #notice;
  #list = document.getElementById("people");
  #count = document.getElementById("room-count");

  constructor({ client, mix, notice, signal }) {
    this.#client = client;
    this.#mix = mix;
    this.#notice = notice;
    const show = () => this.#show();
    for (const name of ["participant-join", "participant-leave", "stream-add", "stream-remove"]) {
      client.addEventListener(name, show, { signal });
    }
    mix.addEventListener("change", show, { signal });
    show();
  }

  #show() {
    const people = [...this.#client.participants.values()];
    this.#list.replaceChildren(...people.map((one) => this.#row(one)));
    const others = people.length - 1;
    this.#count.textContent = others === 0 ? "You are alone here" : `You and ${others} more`;
  }

  #row({ id, user, role }) {
    const own = id === this.#client.self.id;
    const streams = [...this.#client.streams.values()].filter(({ info }) => info.owner === id);
    return element(
      "li",
      {},
      element(
        "div",
        {},
        element("span", { textContent: own ? `${user} (you)` : user }),
        element("span", { className: "hint", textContent: role }),
      ),
      streams.length > 0 && this.#mix.stream ? this.#switch(user, streams) : null,
    );
  }

  #switch(user, streams) {
    const mixed = streams.some((stream) => this.#mix.has(stream));
    const button = element("button", {
      type: "button",
      className: "switch",
      title: mixed ? `Take ${user} out of the mix` : `Put ${user} into the mix`,
      textContent: mixed ? "In the mix" : "Not mixed",
      disabled: !streams.every((stream) => this.#mix.mayMove(stream)),
    });
    button.setAttribute("aria-pressed", String(mixed));
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        for (const stream of streams) await this.#mix.move(stream, !mixed);
      } catch (error) {
        button.disabled = false;
        this.#notice.show(explain(error));
      }
    });
    return button;
  }
}
