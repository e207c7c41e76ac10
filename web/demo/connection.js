// @ts-check
// One socket.io connection with the portal: requests with answers, and what the server tells.

/**
 * @typedef {import("../types/portico").Requests} Requests
 * @typedef {import("../types/portico").Notifications} Notifications
 */

const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 10_000;
/** @type {(keyof Notifications)[]} */
const EVENTS = ["participant", "stream", "progress", "text", "drop"];

/** A request that the server refused or did not answer. */
export class RequestError extends Error {
  /**
   * @param {string} request the name of the request, or "connect"
   * @param {string} description the server's words
   * @param {object} [refusal] of a request that was refused
   * @param {number} [refusal.code] the server's error code, where it sent one
   */
  constructor(request, description, refusal) {
    super(description);
    this.name = "RequestError";
    this.request = request;
    this.refused = Boolean(refusal);
    this.code = refusal?.code;
  }
}

export class Connection {
  #socket;
  #unanswered = new Set();
  #closed = false;

  /**
   * Resolves once it is open.
   * @param {object} options
   * @param {Function} options.io the `io` of a socket.io-client of any version from 2 on
   * @param {string} options.url where the portal listens
   * @param {<Name extends keyof Notifications>(name: Name, message: Notifications[Name]) => void}
   *   options.told takes what the server tells
   * @param {() => void} options.lost called once, unless `close` ends the connection
   */
  static async open({ io, url, told, lost }) {
    const connection = new Connection();
    const socket = io(url, { forceNew: true, reconnection: false, timeout: CONNECT_TIMEOUT_MS });
    connection.#socket = socket;
    try {
      await new Promise((resolve, reject) => {
        socket.once("connect", resolve);
        socket.once("connect_error", ({ message }) => reject(new RequestError("connect", message)));
      });
    } catch (error) {
      connection.close();
      throw error;
    }
    for (const name of EVENTS) socket.on(name, (message) => told(name, message));
    socket.on("disconnect", () => {
      if (connection.#closed) return;
      connection.close();
      lost();
    });
    return connection;
  }

  /**
   * Resolves to the answer's data.
   * @template {keyof Requests} Name
   * @param {Name} name
   * @param {Requests[Name]["data"]} [data]
   * @param {number} [timeoutMs]
   * @returns {Promise<Requests[Name]["result"]>}
   */
  ask(name, data, timeoutMs = ANSWER_TIMEOUT_MS) {
    return new Promise((resolve, reject) => {
      const settle = (act, value) => {
        clearTimeout(timer);
        this.#unanswered.delete(fail);
        act(value);
      };
      const fail = (reason) => settle(reject, new RequestError(name, reason));
      const timer = setTimeout(fail, timeoutMs, "the server did not answer in time");
      this.#unanswered.add(fail);
      if (this.#closed) {
        fail("the connection is closed");
        return;
      }
      const told = data === undefined ? [] : [data];
      this.#socket.emit(name, ...told, (status, answer) => {
        if (status === "ok") settle(resolve, answer);
        else settle(reject, refusal(name, answer));
      });
    });
  }

  close() {
    this.#closed = true;
    for (const fail of this.#unanswered) fail("the connection is closed");
    this.#socket.disconnect();
  }
}

/**
 * OWT sends a bare string, its protocol document says {code, description}.
 * @param {string} request
 * @param {import("../types/portico").RequestError} answer
 */
function refusal(request, answer) {
  if (typeof answer === "string") return new RequestError(request, answer, {});
  return new RequestError(request, answer?.description ?? "refused", { code: answer?.code });
}
