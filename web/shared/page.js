// Small helpers for building pages.

/** An element with properties and children; text is never read as HTML. */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** One of the icons, with a name for those who cannot see it. */
export function icon(symbol, label, className = "") {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  svg.setAttribute("class", className);
  const use = document.createElementNS(namespace, "use");
  use.setAttribute("href", `/shared/icons.svg#${symbol}`);
  const title = document.createElementNS(namespace, "title");
  title.textContent = label;
  svg.append(title, use);
  return svg;
}

/** The number of `"1/3"`, `"0.5"` or a number. */
export function fraction(text) {
  const [over, under = 1] = String(text).split("/").map(Number);
  return over / under || 0;
}

export function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** A hue in degrees for a name, the same wherever somebody appears. */
export function hueOf(name) {
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + letter.codePointAt(0)) % 360;
  return hash;
}

/** Up to two letters for a name. */
export function initials(name) {
  const words = name.trim().split(/\s+/).slice(0, 2);
  return words.map((word) => [...word][0] ?? "").join("").toUpperCase();
}
