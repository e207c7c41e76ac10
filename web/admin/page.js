// Small helpers for building the page.

/** An element with properties and children; text is never read as HTML. */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** One of the page's symbols, with a name for those who cannot see it. */
export function icon(symbol, label, className = "") {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  svg.setAttribute("class", className);
  const use = document.createElementNS(namespace, "use");
  use.setAttribute("href", `#icon-${symbol}`);
  const title = document.createElementNS(namespace, "title");
  title.textContent = label;
  svg.append(title, use);
  return svg;
}

export function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** A colour of one's own, the same wherever somebody appears. */
export function hueOf(text) {
  let hash = 0;
  for (const letter of text) hash = (hash * 31 + letter.codePointAt(0)) % 360;
  return hash;
}
