// What a client developer writes with the types, and what the compiler says of mistakes.

import type {
  Acknowledge,
  Notifications,
  Requests,
  Stream,
  StreamMessage,
} from "../../../web/types/portico";

interface Socket {
  emit<Name extends keyof Requests>(
    name: Name,
    data: Requests[Name]["data"],
    answered: Acknowledge<Name>,
  ): void;
  on<Name extends keyof Notifications>(
    name: Name,
    told: (message: Notifications[Name]) => void,
  ): void;
}

export function join(socket: Socket, token: string, streams: Map<string, Stream>): void {
  const userAgent = { sdk: { type: "JavaScript", version: "1" } };
  socket.emit("login", { token, userAgent, protocol: "1.2" }, (status, result) => {
    if (status === "error" || typeof result === "string" || !("room" in result)) return;
    for (const stream of result.room.streams) streams.set(stream.id, stream);
  });
  // @ts-expect-error there is no such version
  socket.emit("login", { token, userAgent, protocol: "2.0" }, () => {});
  // @ts-expect-error there is no such request
  socket.emit("shout", {}, () => {});
  const tracks = [{ type: "audio" as const, mid: "0", source: "mic" as const }];
  socket.emit("publish", { media: { tracks }, transport: { type: "webrtc" } }, () => {});
  // @ts-expect-error a camera makes no sound
  socket.emit("publish", { media: { audio: { source: "camera" }, video: false } }, () => {});
  socket.on("stream", (message) => follow(message, streams));
  // @ts-expect-error a text has no number
  socket.on("text", ({ number }) => number);
}

function follow(message: StreamMessage, streams: Map<string, Stream>): string[] {
  switch (message.status) {
    case "add":
      streams.set(message.id, message.data);
      return [];
    case "remove":
      streams.delete(message.id);
      return [];
    case "update":
      break;
  }
  switch (message.data.field) {
    case ".":
      streams.set(message.id, message.data.value);
      return [];
    case "video.layout":
      return message.data.value.flatMap(({ region }) => {
        return region.shape === "rectangle" ? [region.area.left] : [region.area.radius];
      });
    case "activeInput":
    case "audio.status":
    case "video.status":
      return [message.data.value];
  }
}

/** Every kind of stream says where it comes from. */
export function origin(stream: Stream): string {
  switch (stream.type) {
    case "forward":
      return stream.info.owner;
    case "mixed":
      return stream.info.label;
    case "augmented":
      return stream.info.origin;
  }
}
