// Signs requests as the management REST wants it (MAuth), with the browser's own cryptography.

/** Whether the browser signs here: it does so on https and on localhost only. */
export const canSign = Boolean(globalThis.crypto?.subtle);

/**
 * A header for one request: the hexadecimal HMAC-SHA256 of time and nonce, in base64.
 * @param {{id: string, key: string}} service
 */
export async function authorization({ id, key }) {
  const timestamp = Date.now();
  const nonce = hex(crypto.getRandomValues(new Uint8Array(8)));
  const signature = btoa(hex(await hmac(key, `${timestamp},${nonce}`)));
  const parts = {
    mauth_signature_method: "HMAC_SHA256",
    mauth_serviceid: id,
    mauth_cnonce: nonce,
    mauth_timestamp: timestamp,
    mauth_signature: signature,
  };
  const named = Object.entries(parts).map(([name, value]) => `${name}=${value}`);
  return ["MAuth realm=portico", ...named].join(",");
}

async function hmac(key, message) {
  const text = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", text.encode(key), algorithm, false, [
    "sign",
  ]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, text.encode(message)));
}

function hex(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
