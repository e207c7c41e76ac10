// A plain socket.io 4 server: what an acknowledgement costs when nothing else is done.
// Prints its port; a line on standard input makes it collect garbage, the end of it ends it.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, { serveClient: false });

io.on("connection", (socket) => {
  socket.on("echo", (text, ack) => ack("ok", text));
  socket.on("text", ({ to, message }, ack) => {
    socket.emit("text", { from: socket.id, to, message });
    ack("ok");
  });
});

http.listen(0, "127.0.0.1", () => console.log(http.address().port));

createInterface({ input: process.stdin })
  .on("line", () => {
    globalThis.gc();
    console.log("collected");
  })
  .on("close", () => process.exit(0));
