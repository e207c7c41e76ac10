// The page before the room: who, where, with which picture.

import { explain } from "./messages.js";
import { RequestError } from "./portico-client.js";
import { openDevices, openTestSource } from "./source.js";

export class Lobby {
  #parameters;
  #notice;
  #join;
  #demo = { enabled: false, room: "" };
  #source = null;
  #sourceWanted = 0;

  #lobby = document.getElementById("lobby");
  #form = document.getElementById("join");
  #button = document.getElementById("join-button");
  #name = document.getElementById("name");
  #room = document.getElementById("room-name");
  #token = document.getElementById("token");
  #tokenField = document.getElementById("token-field");
  #tokenHint = document.getElementById("token-hint");
  #preview = document.getElementById("preview");
  #previewHint = document.getElementById("preview-hint");

  constructor({ parameters, notice, join }) {
    this.#parameters = parameters;
    this.#notice = notice;
    this.#join = join;
    this.#room.addEventListener("input", () => this.#showTokenField());
    this.#name.addEventListener("change", () => this.#previewTestPicture());
    this.#form.addEventListener("change", ({ target }) => {
      if (target.name === "source") this.#openSource().catch((error) => this.#report(error));
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** Fills the form from the server's configuration and the address, and joins if told so. */
  async start() {
    try {
      this.#demo = await (await expectOk(await fetch("/demo/config"))).json();
    } catch {
      // Without a demo room the page still joins any room by token.
    }
    const wanted = (key) => this.#parameters.get(key) ?? "";
    this.#name.value = wanted("name");
    this.#room.value = wanted("room") || this.#demo.room;
    this.#token.value = wanted("token");
    if (wanted("test") === "1" || !(await devicesExist())) this.#choose("test");
    this.#showTokenField();
    if (wanted("autojoin") === "1") await this.#submit();
    else await this.show();
  }

  async show() {
    document.title = "Portico";
    this.#lobby.hidden = false;
    this.#button.disabled = false;
    (this.#name.value ? this.#button : this.#name).focus();
    if (this.#sourceKind() === "test" || (await devicesAllowed())) {
      await this.#openSource().catch((error) => this.#report(error));
    }
  }

  hide() {
    this.#lobby.hidden = true;
    this.#preview.srcObject = null;
    this.#notice.hide();
  }

  async #submit() {
    if (!this.#form.reportValidity()) return;
    this.#button.disabled = true;
    this.#button.textContent = "Joining…";
    this.#notice.hide();
    const name = this.#name.value.trim();
    try {
      if (!this.#source || this.#sourceKind() === "test") await this.#openSource();
      const token = await this.#obtainToken(name, this.#room.value.trim());
      // The room owns the source from here on and stops it when it is left.
      const source = this.#source;
      this.#source = null;
      try {
        await this.#join({ name, token, source, isDemo: this.#isDemoRoom() });
      } catch (error) {
        source?.stop();
        throw error;
      }
    } catch (error) {
      this.#report(error);
      await this.show();
    } finally {
      this.#button.disabled = false;
      this.#button.textContent = "Join";
    }
  }

  async #obtainToken(user, room) {
    if (!this.#isDemoRoom() || this.#token.value.trim()) return this.#token.value.trim();
    const response = await fetch("/demo/token", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user, room }),
    }).catch((error) => {
      throw new RequestError("connect", error.message);
    });
    return (await (await expectOk(response)).json()).token;
  }

  async #openSource() {
    const attempt = ++this.#sourceWanted;
    this.#closeSource();
    const kind = this.#sourceKind();
    let source = null;
    if (kind === "devices") source = await openDevices();
    if (kind === "test") source = openTestSource({ name: this.#name.value.trim() || "Portico" });
    if (attempt !== this.#sourceWanted) {
      // The choice changed while the browser asked for permission.
      source?.stop();
      return;
    }
    this.#source = source;
    this.#preview.classList.toggle("mirrored", source?.mirrored ?? false);
    this.#preview.srcObject = source?.mediaStream ?? null;
    this.#previewHint.textContent =
      kind === "none"
        ? "You will see and hear the others, and they will not see you."
        : "Your picture appears here once the camera is on.";
    this.#previewHint.hidden = source !== null;
  }

  #closeSource() {
    this.#source?.stop();
    this.#source = null;
    this.#preview.srcObject = null;
    this.#previewHint.hidden = false;
  }

  #previewTestPicture() {
    if (this.#sourceKind() === "test") this.#openSource();
  }

  #sourceKind() {
    return new FormData(this.#form).get("source");
  }

  #choose(kind) {
    this.#form.querySelector(`input[name="source"][value="${kind}"]`).checked = true;
  }

  #isDemoRoom() {
    return this.#demo.enabled && this.#room.value.trim() === this.#demo.room;
  }

  #showTokenField() {
    const needed = !this.#isDemoRoom();
    this.#tokenField.hidden = !needed && !this.#token.value;
    this.#token.required = needed;
    const room = this.#room.value.trim() || "ROOM";
    this.#tokenHint.textContent =
      `Made on the server by: portico token --room ${room} --user NAME --role presenter`;
  }

  #report(error) {
    this.#notice.show(explain(error));
  }
}

async function expectOk(response) {
  if (!response.ok) throw new Error((await response.text()) || response.statusText);
  return response;
}

async function devicesExist() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices.some(({ kind }) => kind === "videoinput" || kind === "audioinput");
}

// Asking for the camera before a person did anything is rude; where it is allowed, nobody is asked.
async function devicesAllowed() {
  try {
    return (await navigator.permissions.query({ name: "camera" })).state === "granted";
  } catch {
    return false;
  }
}
