// The dashboard: signing in, the list of rooms, one room, all kept fresh.

import { Api, Refused } from "./api.js";
import { canSign } from "./mauth.js";
import { element, plural } from "/shared/page.js";
import { Room } from "./room.js";

const REFRESH_MS = 2000;
const KEPT = "portico-service";

const find = (id) => document.getElementById(id);

let api = null;
let room = null;
let timer = 0;
let last = null;

function notice(what, todo) {
  find("notice").hidden = !what;
  find("notice-what").textContent = what ?? "";
  find("notice-todo").textContent = todo ?? "";
}

function enter(service) {
  api = new Api(service);
  sessionStorage.setItem(KEPT, JSON.stringify(service));
  find("gate").hidden = true;
  refresh();
}

function leave() {
  sessionStorage.removeItem(KEPT);
  clearTimeout(timer);
  api = null;
  last = null;
  forgetRoom();
  find("dashboard").hidden = true;
  find("gate").hidden = false;
  find("service-key").value = "";
  find("service-id").focus();
}

async function refresh() {
  clearTimeout(timer);
  const asked = api;
  try {
    const [overview, shown] = await Promise.all([asked.overview(), refreshRoom(asked)]);
    if (asked !== api) return;
    find("dashboard").hidden = false;
    showOverview(overview);
    if (shown) await shown.refresh(asked);
    notice(null);
  } catch (error) {
    if (asked !== api) return;
    if (error instanceof Refused && error.status === 401) {
      leave();
      notice("The server does not know this id and key.", "Check them, and this machine's clock.");
      return;
    }
    notice("The server does not answer as it should.", `${error.message}. Trying again.`);
  }
  if (asked === api) timer = setTimeout(refresh, REFRESH_MS);
}

async function refreshRoom(asked) {
  const shown = room;
  if (!shown) return null;
  try {
    const told = await asked.room(shown.id);
    if (shown === room) shown.show(told);
    return shown;
  } catch (error) {
    if (!(error instanceof Refused && error.status === 404)) throw error;
    if (shown === room) location.hash = "";
    return null;
  }
}

function showOverview({ server, rooms }) {
  find("version").textContent = `${server.version} · up ${duration(server.uptimeSeconds)}`;
  const people = rooms.reduce((sum, { participants }) => sum + participants, 0);
  const figures = [
    ["Rooms running", rooms.filter(({ running }) => running).length],
    ["Participants", people],
    ["Peer connections", server.transports],
    ["Received", rate(server, "bytesIn")],
    ["Sent", rate(server, "bytesOut")],
    ["Packets dropped", server.dropped],
  ];
  last = { ...server, at: performance.now() };
  find("figures").replaceChildren(
    ...figures.map(([name, value]) =>
      element(
        "div",
        {},
        element("dt", { textContent: name }),
        element("dd", { textContent: value }),
      ),
    ),
  );
  const busiest = [...rooms].sort(
    (a, b) => b.participants - a.participants || a.name.localeCompare(b.name),
  );
  find("rooms").replaceChildren(...busiest.map(roomLine));
  find("no-rooms").hidden = rooms.length > 0;
}

function roomLine({ id, name, running, participants, streams, views }) {
  const counts = running
    ? `${plural(participants, "participant")}, ${plural(streams, "stream")}`
    : "idle";
  const line = element(
    "a",
    { href: `#${encodeURIComponent(id)}`, className: running ? "running" : "" },
    element("span", { className: "dot", ariaHidden: "true" }),
    element("strong", { textContent: name }),
    element("span", { className: "hint", textContent: `${counts} · ${plural(views, "view")}` }),
  );
  if (room?.id === id) line.ariaCurrent = "true";
  return element("li", {}, line);
}

/** Bits per second since the last look. */
function rate(server, key) {
  if (!last) return "…";
  const seconds = (performance.now() - last.at) / 1000;
  const bits = ((server[key] - last[key]) * 8) / seconds;
  const [scale, unit] = bits >= 1e6 ? [1e6, "Mbit/s"] : [1e3, "kbit/s"];
  return `${(bits / scale).toFixed(bits >= 1e6 ? 1 : 0)} ${unit}`;
}

function duration(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${seconds} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

function forgetRoom() {
  room?.remove();
  room = null;
  const hint = { className: "hint pick", textContent: "Choose a room to see who is in it." };
  find("room").replaceChildren(element("p", hint));
}

function follow() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (id === room?.id) return;
  forgetRoom();
  if (id) room = new Room(find("room"), id);
  if (api) refresh();
}

find("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  notice(null);
  enter({ id: find("service-id").value.trim(), key: find("service-key").value.trim() });
});
find("sign-out").addEventListener("click", leave);
addEventListener("hashchange", follow);

if (canSign) {
  const kept = sessionStorage.getItem(KEPT);
  follow();
  if (kept) enter(JSON.parse(kept));
  else find("gate").hidden = false;
} else {
  notice("This browser cannot sign here.", "Open the dashboard on https or on localhost.");
}
