// The text side of a room.

import { explain } from "./messages.js";

const MESSAGES_MAX = 500;

export class Chat {
  #client;
  #notice;
  #messages = document.getElementById("chat-messages");
  #form = document.getElementById("chat-form");
  #text = document.getElementById("chat-text");
  #to = document.getElementById("chat-to");

  constructor({ client, notice, signal }) {
    this.#client = client;
    this.#notice = notice;
    this.#messages.replaceChildren();
    for (const name of ["participant-join", "participant-leave"]) {
      client.addEventListener(name, () => this.#showReceivers(), { signal });
    }
    this.#showReceivers();
    client.addEventListener("text", ({ detail }) => this.#receive(detail), { signal });
    this.#form.addEventListener("submit", (event) => this.#submit(event), { signal });
  }

  /** A message goes to everybody or to one of the others. */
  #showReceivers() {
    const chosen = this.#to.value;
    const others = [...this.#client.participants.values()].filter(
      ({ id }) => id !== this.#client.self.id,
    );
    this.#to.replaceChildren(
      new Option("Everybody", "all"),
      ...others.map(({ id, user }) => new Option(user, id)),
    );
    this.#to.value = others.some(({ id }) => id === chosen) ? chosen : "all";
  }

  async #submit(event) {
    event.preventDefault();
    const message = this.#text.value.trim();
    if (!message) return;
    const to = this.#to.value;
    try {
      await this.#client.sendText(to, message);
      this.#text.value = "";
      // A message to all comes back from the server, one to a single person does not.
      if (to !== "all") this.#add(`To ${this.#userOf(to)}`, message, true);
    } catch (error) {
      this.#notice.show(explain(error));
    }
  }

  #receive({ from, to, message }) {
    const own = from === this.#client.self.id;
    const user = own ? "You" : this.#userOf(from);
    this.#add(to === "all" ? user : `${user}, to you`, message, own);
  }

  #userOf(id) {
    return this.#client.participants.get(id)?.user ?? "Somebody";
  }

  #add(author, message, own) {
    const row = document.createElement("li");
    row.classList.toggle("own", own);
    const head = document.createElement("span");
    head.className = "hint";
    const time = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    head.textContent = `${author} · ${time}`;
    const body = document.createElement("p");
    body.textContent = message;
    row.append(head, body);
    this.#messages.append(row);
    if (this.#messages.childElementCount > MESSAGES_MAX) this.#messages.firstChild.remove();
    this.#messages.scrollTop = this.#messages.scrollHeight;
  }
}
