// A participant's place, kept by a ticket: whoever loses the connection comes back with it.

import { RequestError } from "./connection.js";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

export class Comeback {
  #ticket = null;
  /** When the ticket ends, by this machine's clock. */
  #end = 0;
  #refresh = 0;
  #ended = false;

  /** Whether there is a way back. */
  get isPossible() {
    return this.#ticket !== null && !this.#ended;
  }

  /**
   * Takes the latest ticket and has it exchanged in good time.
   * @param {string|undefined} ticket
   * @param {() => Promise<string>} renew asks for the next one
   */
  keep(ticket, renew) {
    clearTimeout(this.#refresh);
    this.#ticket = ticket ?? null;
    if (this.#ticket === null || this.#ended) return;
    const lifetimeMs = lifetimeOf(this.#ticket);
    this.#end = Date.now() + lifetimeMs;
    const again = async () => {
      try {
        this.keep(await renew(), renew);
      } catch (error) {
        // A lost connection is noticed elsewhere, and a ticket that was exchanged comes with it.
        console.warn("no new ticket:", error.message);
      }
    };
    this.#refresh = setTimeout(again, lifetimeMs / 2);
  }

  /**
   * Tries again and again until one attempt succeeds; resolves to whether one did, or to false
   * once the place is lost.
   * @param {(ticket: string) => Promise<void>} attempt
   */
  async tryWith(attempt) {
    clearTimeout(this.#refresh);
    let pauseMs = FIRST_PAUSE_MS;
    while (this.isPossible && Date.now() < this.#end) {
      await pause(pauseMs);
      if (this.#ended) return false;
      try {
        await attempt(this.#ticket);
        return true;
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        if (error.request === "relogin" && error.refused) return false;
      }
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
    return false;
  }

  /** No way back from here on. */
  end() {
    this.#ended = true;
    clearTimeout(this.#refresh);
  }
}

/** For how many milliseconds a ticket is good; it is JSON in base64. */
function lifetimeOf(ticket) {
  const { notBefore, notAfter } = JSON.parse(atob(ticket));
  return notAfter - notBefore;
}

/** Waits, but no longer than until the browser says that the network is back. */
function pause(ms) {
  return new Promise((resolve) => {
    const resume = () => {
      clearTimeout(timer);
      removeEventListener("online", resume);
      resolve();
    };
    const timer = setTimeout(resume, ms);
    addEventListener("online", resume);
  });
}
