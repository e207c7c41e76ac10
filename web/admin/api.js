// Asks the server, signed.

import { authorization } from "./mauth.js";

/** The server refuses; `status` is HTTP's. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export class Api {
  #service;

  /** @param {{id: string, key: string}} service */
  constructor(service) {
    this.#service = service;
  }

  overview() {
    return this.#json("/admin/data/overview");
  }

  room(id) {
    return this.#json(`/admin/data/rooms/${encodeURIComponent(id)}`);
  }

  /** The picture that a view shows at this moment. */
  async snapshot(room, label) {
    const view = `${encodeURIComponent(room)}/views/${encodeURIComponent(label)}`;
    const response = await this.#ask(`/v1.1/rooms/${view}/snapshot.jpg`);
    return response.blob();
  }

  async #json(path) {
    return (await this.#ask(path)).json();
  }

  async #ask(path) {
    const headers = { Authorization: await authorization(this.#service) };
    const response = await fetch(path, { headers });
    if (response.ok) return response;
    const body = await response.json().catch(() => null);
    throw new Refused(response.status, body?.error?.message ?? response.statusText);
  }
}
