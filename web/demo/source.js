// Where a participant's own picture and sound come from: devices, or a generated test picture and
// tone for machines without a camera.

import { hueOf } from "/shared/page.js";

const WIDTH = 640;
const HEIGHT = 360;
const FRAMES_PER_SECOND = 25;
const TONE_GAIN = 0.08;
// A pentatonic scale, so that several test tones together are a chord and not a torment.
const TONES_HZ = [262, 294, 330, 392, 440, 524];

/**
 * Camera and microphone, or what of the two there is. `mirrored` tells whether people expect to
 * see themselves as in a mirror; `stop` ends the source.
 */
export async function openDevices() {
  if (!navigator.mediaDevices) {
    throw new DOMException("not available on this origin", "SecurityError");
  }
  const devices = await navigator.mediaDevices.enumerateDevices();
  const video = devices.some(({ kind }) => kind === "videoinput");
  const audio = devices.some(({ kind }) => kind === "audioinput");
  if (!video && !audio) throw new DOMException("no camera, no microphone", "NotFoundError");
  const mediaStream = await navigator.mediaDevices.getUserMedia({
    audio,
    video: video && { width: { ideal: 1280 }, height: { ideal: 720 } },
  });
  return {
    mediaStream,
    mirrored: true,
    stop: () => mediaStream.getTracks().forEach((track) => track.stop()),
  };
}

/**
 * A plain coloured picture with a name and a running clock, and a soft pulsing tone.
 * @param {object} options
 * @param {string} options.name what the picture says
 * @param {number} [options.hue] degrees; derived from the name by default
 * @param {number} [options.toneHz] derived from the name by default
 */
export function openTestSource({ name, hue = hueOf(name), toneHz = toneOf(name) }) {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const drawing = canvas.getContext("2d");
  const draw = () => drawTestPicture(drawing, name, hue);
  draw();
  // A timer, not an animation frame: those stop in a tab that is not in view.
  const timer = setInterval(draw, 1000 / FRAMES_PER_SECOND);

  const audio = new AudioContext();
  const output = audio.createMediaStreamDestination();
  pulsingTone(audio, toneHz).connect(output);
  // Browsers let sound start only after a click; joining is one. The source may be stopped before.
  const wake = () => audio.resume().catch(() => {});
  if (audio.state === "suspended") document.addEventListener("click", wake, { once: true });

  const mediaStream = new MediaStream([
    ...output.stream.getAudioTracks(),
    ...canvas.captureStream(FRAMES_PER_SECOND).getVideoTracks(),
  ]);
  const stop = () => {
    clearInterval(timer);
    document.removeEventListener("click", wake);
    mediaStream.getTracks().forEach((track) => track.stop());
    audio.close();
  };
  return { mediaStream, mirrored: false, stop };
}

function toneOf(name) {
  return TONES_HZ[hueOf(name) % TONES_HZ.length];
}

function drawTestPicture(drawing, name, hue) {
  const now = new Date();
  const turn = (now.getTime() / 6000) * 2 * Math.PI;
  drawing.fillStyle = `hsl(${hue} 55% 42%)`;
  drawing.fillRect(0, 0, WIDTH, HEIGHT);

  drawing.fillStyle = `hsl(${hue} 60% 50%)`;
  drawing.beginPath();
  drawing.arc(
    WIDTH / 2 + Math.cos(turn) * 110,
    HEIGHT / 2 + Math.sin(turn) * 40,
    96,
    0,
    2 * Math.PI,
  );
  drawing.fill();

  drawing.fillStyle = "white";
  drawing.textAlign = "center";
  drawing.font = "600 54px system-ui, sans-serif";
  drawing.fillText(name, WIDTH / 2, HEIGHT / 2 + 6, WIDTH - 80);
  drawing.font = "400 26px ui-monospace, monospace";
  drawing.fillText(now.toISOString().slice(11, 22), WIDTH / 2, HEIGHT / 2 + 52);
}

// Loud and silent once a second, so that one hears that sound is live.
function pulsingTone(audio, toneHz) {
  const tone = new OscillatorNode(audio, { frequency: toneHz });
  const loudness = new GainNode(audio, { gain: TONE_GAIN / 2 });
  const pulse = new OscillatorNode(audio, { frequency: 1 });
  const pulseDepth = new GainNode(audio, { gain: TONE_GAIN / 2 });
  pulse.connect(pulseDepth).connect(loudness.gain);
  tone.connect(loudness);
  tone.start();
  pulse.start();
  return loudness;
}
