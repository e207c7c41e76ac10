// The bar that tells what happened and what to do.

export class Notice {
  #bar = document.getElementById("notice");
  #what = document.getElementById("notice-what");
  #todo = document.getElementById("notice-todo");

  constructor() {
    document.getElementById("notice-close").addEventListener("click", () => this.hide());
  }

  /** @param {{what: string, todo: string}} message */
  show({ what, todo }) {
    this.#what.textContent = what;
    this.#todo.textContent = todo;
    this.#bar.hidden = false;
  }

  hide() {
    this.#bar.hidden = true;
  }
}
