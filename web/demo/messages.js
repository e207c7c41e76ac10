// Errors in a person's words: what happened, and what to do about it.

const UNEXPECTED_TODO = "Try again; if it stays, the server's log says more.";

const BY_SERVER_TEXT = [
  [/^Expired/, "This token is too old.", "Tokens are valid for a few minutes: ask for a new one."],
  [
    /^(Unknown|Invalid token|Unexpected token|.*JSON)/,
    "The server does not accept this token.",
    "Each token works once. Make a new one with: portico token --room ROOM --user NAME --role presenter",
  ],
  [/^Room is full/, "The room is full.", "Wait until somebody leaves, or use another room."],
  [/^Joining room failed|room.*(not|NOT).*exist/i, "There is no such room.", "Check the room's name."],
  [
    /^unauthorized/,
    "Your role does not allow that.",
    "Ask for a token with the role presenter.",
  ],
  [/^Too many inputs/, "The room takes no more pictures.", "You can still watch and write."],
  [
    /^(no connection in time|Ice procedure failed)/,
    "The server's media port cannot be reached.",
    "Its UDP port must be open to you; a firewall on either side may block it.",
  ],
];

const BY_DEVICE_ERROR = {
  NotAllowedError: [
    "The camera and microphone are blocked.",
    "Allow them beside the page's address, or choose the test picture.",
  ],
  NotFoundError: [
    "No camera or microphone was found.",
    "Connect one, or choose the test picture.",
  ],
  NotReadableError: [
    "Another program is using the camera or microphone.",
    "Close that program, or choose the test picture.",
  ],
  SecurityError: [
    "Browsers give the camera only to https pages and to localhost.",
    "Serve this page with TLS, or choose the test picture.",
  ],
};

/** What to tell a person about an error. */
export function explain(error) {
  const device = BY_DEVICE_ERROR[error.name];
  if (error instanceof DOMException && device) return { what: device[0], todo: device[1] };
  if (error.request === "connect") {
    return {
      what: "The server cannot be reached.",
      todo: "Check that it is running, then try again.",
    };
  }
  const known = BY_SERVER_TEXT.find(([pattern]) => pattern.test(error.message));
  if (known) return { what: known[1], todo: known[2] };
  return { what: `That did not work: ${error.message}.`, todo: UNEXPECTED_TODO };
}
