// The demo page: a lobby, then a room. Address parameters: name, room, token, codec (vp8, vp9,
// h264 or av1), test=1 (test picture and tone instead of devices), autojoin=1 (join at once).

import { Lobby } from "./lobby.js";
import { explain } from "./messages.js";
import { Notice } from "./notice.js";
import { PorticoClient } from "./portico-client.js";
import { Room } from "./room.js";

const parameters = new URLSearchParams(location.search);
const notice = new Notice();
const lobby = new Lobby({ parameters, notice, join });
await lobby.start();

async function join({ name, token, source, isDemo }) {
  const client = new PorticoClient({ io: window.io, url: location.origin });
  // For the console, and for tests that read statistics.
  window.portico = client;
  await client.join(token);
  lobby.hide();
  const codec = parameters.get("codec");
  const room = new Room({ client, source, name, notice, codec, isDemo });
  const reason = await room.left;
  room.hide();
  await lobby.show();
  if (reason) notice.show(reason);
}

window.addEventListener("unhandledrejection", ({ reason }) => notice.show(explain(reason)));
