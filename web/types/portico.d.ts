/**
 * The messages of the `owt` door (OWT's Client-Portal protocol) for client developers.
 *
 * A request is `socket.emit(name, data, (status, result) => ...)`; see {@link Requests}. What the
 * server says by itself is `socket.on(name, data => ...)`; see {@link Notifications}.
 * `docs/protocols/owt.md` describes the protocol.
 */

export type Protocol = "1.0" | "1.1" | "1.2";

/** Requests by name: what is sent and what a granted one is answered with. */
export interface Requests {
  login: { data: Login; result: LoginResult };
  logout: { data?: undefined; result: undefined };
  relogin: { data: string | ReconnectionTicket; result: string };
  refreshReconnectionTicket: { data?: undefined; result: string };
  text: { data: { to: string; message: string }; result: undefined };
  publish: { data: Publish | PublishTracks; result: SessionResult };
  unpublish: { data: { id: string }; result: undefined };
  subscribe: { data: Subscribe | SubscribeTracks; result: SessionResult };
  unsubscribe: { data: { id: string }; result: undefined };
  soac: { data: { id: string; signaling: Signaling }; result: undefined };
  "stream-control": { data: StreamControl; result: { region: string } | undefined };
  "subscription-control": { data: SubscriptionControl; result: undefined };
}

/** How a request is answered. */
export type Acknowledge<Name extends keyof Requests> = (
  status: "ok" | "error",
  result: Requests[Name]["result"] | RequestError,
) => void;

/** A refused request; a bare text where `[portal] error_format` says so. */
export type RequestError = { code: number; description: string } | string;

/** What the server says by itself, by name. */
export interface Notifications {
  participant: ParticipantAction;
  stream: StreamMessage;
  text: { from: string; to: "all" | "me"; message: string };
  progress: Progress;
  drop: null;
}

export interface Login {
  token: string;
  userAgent: {
    sdk: { type: string; version: string | number };
    runtime?: { name: string; version: string };
    os?: { name: string; version: string };
  };
  /** `keepTime` is in seconds; -1 leaves it to the server. `false`: no coming back. */
  reconnection?: { keepTime: number } | false;
  protocol?: Protocol;
}

export interface LoginResult {
  id: string;
  user: string;
  role: string;
  permission: { publish: MediaPermission; subscribe: MediaPermission };
  room: {
    id: string;
    views: string[];
    streams: Stream[];
    participants: Participant[];
  };
  /** Base64 of a {@link ReconnectionTicket}; absent if the login did not want one. */
  reconnectionTicket?: string;
}

export interface MediaPermission {
  audio: boolean;
  video: boolean;
}

export interface ReconnectionTicket {
  participantId: string;
  ticketId: string;
  /** Unix time in milliseconds. */
  notBefore: number;
  /** Unix time in milliseconds. */
  notAfter: number;
  signature: string;
}

export interface Participant {
  id: string;
  role: string;
  user: string;
}

export type ParticipantAction =
  | { action: "join"; data: Participant }
  | { action: "leave"; data: string };

export type Stream = {
  id: string;
  media: Media | MediaOfProtocol10 | MediaTracks;
} & (
  | { type: "forward"; info: PublicationInfo }
  | { type: "mixed"; info: ViewInfo }
  | { type: "augmented"; info: AugmentInfo }
);

export interface PublicationInfo {
  owner: string;
  type: "webrtc" | "streaming" | "sip";
  inViews: string[];
  attributes: Record<string, unknown>;
}

export interface AugmentInfo {
  origin: string;
  description: string;
}

export interface ViewInfo {
  label: string;
  activeInput: string | "unknown";
  layout: PlacedRegion[];
}

export interface PlacedRegion {
  /** Absent where the region shows nothing. */
  stream?: string;
  region: Region;
}

/** Shares of the picture are texts such as `"1/3"`. */
export type Region = { id: string } & (
  | { shape: "rectangle"; area: { left: string; top: string; width: string; height: string } }
  | { shape: "circle"; area: { centerW: string; centerH: string; radius: string } }
);

/** Media of protocol 1.1. */
export interface Media {
  audio?: AudioInfo;
  video?: VideoInfo & { original: VideoEncoding[] };
}

/** Media of protocol 1.0, whose picture has one description. */
export interface MediaOfProtocol10 {
  audio?: AudioInfo;
  video?: VideoInfo & VideoEncoding;
}

/** Media of protocol 1.2. */
export interface MediaTracks {
  tracks: Track[];
}

export type Track = {
  id: string;
  status?: TrackStatus;
  mid: string;
  /** The simulcast layer, where there are several. */
  rid?: string;
} & (
  | { type: "audio"; source?: AudioSource; format: AudioFormat; optional: AudioOptions }
  | {
      type: "video";
      source?: VideoSource;
      format: VideoFormat;
      parameters?: VideoParameters;
      optional: VideoOptions;
    }
);

export type TrackStatus = "active" | "inactive";
export type AudioSource = "mic" | "screen-cast" | "raw-file" | "encoded-file";
export type VideoSource = "camera" | "screen-cast" | "raw-file" | "encoded-file";

export interface AudioInfo {
  status?: TrackStatus;
  source?: AudioSource;
  format: AudioFormat;
  optional: AudioOptions;
}

export interface AudioOptions {
  format: AudioFormat[];
}

export interface AudioFormat {
  codec: "opus" | "pcmu" | "pcma" | "g722" | "iSAC" | "iLBC" | "aac" | "ac3" | "nellymoser";
  sampleRate?: number;
  channelNum?: number;
}

export interface VideoInfo {
  status?: TrackStatus;
  source?: VideoSource;
  optional: VideoOptions;
}

export interface VideoEncoding {
  format: VideoFormat;
  parameters?: VideoParameters;
  simulcastRid?: string;
}

export interface VideoFormat {
  codec: "vp8" | "vp9" | "h264" | "h265" | "av1";
  /** Of H.264. */
  profile?: "CB" | "B" | "M" | "E" | "H";
}

export interface VideoParameters {
  resolution?: Resolution;
  framerate?: number;
  /** kbit/s. */
  bitrate?: number;
  /** Seconds. */
  keyFrameInterval?: number;
}

export interface Resolution {
  width: number;
  height: number;
}

export interface VideoOptions {
  format: VideoFormat[];
  parameters: {
    resolution: Resolution[];
    framerate: number[];
    /** Multiples of the stream's own rate, such as `"x0.8"`. */
    bitrate: string[];
    keyFrameInterval: number[];
  };
}

/** `publish` of protocols 1.0 and 1.1. */
export interface Publish {
  media: {
    audio: { source: AudioSource } | false;
    video: { source: VideoSource; parameters?: VideoParameters } | false;
  };
  attributes?: Record<string, unknown>;
}

/** `publish` of protocol 1.2: at most one track of each kind. */
export interface PublishTracks {
  media: {
    tracks: (
      | { type: "audio"; mid?: string; source: AudioSource }
      | { type: "video"; mid?: string; source: VideoSource; parameters?: VideoParameters }
    )[];
  };
  transport?: Transport;
  attributes?: Record<string, unknown>;
}

/** `subscribe` of protocols 1.0 and 1.1. */
export interface Subscribe {
  media: {
    audio?: WantedAudio | false;
    video?: (WantedVideo & { simulcastRid?: string }) | false;
  };
}

/** `subscribe` of protocol 1.2: at most one track of each kind; `from` may name a track. */
export interface SubscribeTracks {
  media: {
    tracks: (
      | ({ type: "audio"; mid?: string } & WantedAudio)
      | ({ type: "video"; mid?: string } & WantedVideo)
    )[];
  };
  transport?: Transport;
}

export interface Transport {
  type: "webrtc";
  /** Of the peer connection that is to carry this session, too; absent for one of its own. */
  id?: string;
}

export interface WantedAudio {
  from: string;
  format?: AudioFormat;
}

export interface WantedVideo {
  from: string;
  format?: VideoFormat;
  parameters?: WantedParameters;
}

/** Each must be what the stream has, or among its options. */
export interface WantedParameters {
  resolution?: Resolution;
  framerate?: number;
  bitrate?: number | string;
  keyFrameInterval?: number;
}

export interface SessionResult {
  id: string;
  /** Since protocol 1.2. */
  transportId?: string;
}

export type Signaling =
  | { type: "offer" | "answer"; sdp: string }
  | { type: "candidate"; candidate: Candidate }
  | { type: "removed-candidates"; candidates: Candidate[] };

export interface Candidate {
  candidate: string;
  sdpMid?: string;
  sdpMLineIndex?: number;
}

export type ControlledTracks = "audio" | "video" | "av";

export type StreamControl = { id: string } & (
  | { operation: "pause" | "play"; data: ControlledTracks }
  | { operation: "mix" | "unmix" | "get-region"; data: string }
  | { operation: "set-region"; data: { view: string; region: string } }
);

export type SubscriptionControl = { id: string } & (
  | {
      operation: "update";
      data: {
        audio?: { from: string };
        video?: { from?: string; parameters?: WantedParameters; simulcastRid?: string };
      };
    }
  | { operation: "pause" | "play"; data: ControlledTracks }
  | { operation: "querybwe" }
);

export type StreamMessage = { id: string } & (
  | { status: "add"; data: Stream }
  | { status: "update"; data: StreamUpdate }
  | { status: "remove"; data?: undefined }
);

export type StreamUpdate =
  | { field: "audio.status" | "video.status"; value: TrackStatus }
  | { field: "video.layout"; value: PlacedRegion[] }
  | { field: "activeInput"; value: string }
  | { field: "."; value: Stream };

/** `id` is the session's; since protocol 1.2 the transport's, with `sessionId` for one session. */
export type Progress = { id: string; sessionId?: string } & (
  | { status: "soac"; data: { type: "answer"; sdp: string } }
  | { status: "ready"; data?: RecorderInfo }
  | { status: "error"; data: string }
);

export interface RecorderInfo {
  host: string;
  file: string;
}
