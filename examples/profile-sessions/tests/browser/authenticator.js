// An authenticator app.
"use strict";

const { createHmac } = require("node:crypto");
const { setTimeout: sleep } = require("node:timers/promises");

/** Seconds that a code is shown (RFC 6238 §4.1). */
const STEP = 30;

/** Waits until codes of another time step than `before` are shown; which one that is. */
async function nextStep(before) {
  for (;;) {
    const step = Math.floor(Date.now() / 1000 / STEP);
    if (step !== before) return step;
    await sleep(100);
  }
}

/** The six digits that are shown during a time step (RFC 4226 §5.3), of a secret in base32. */
function shown(secret, step) {
  const bits = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"));
  const key = Buffer.from(bits.join("").match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", key).update(counter).digest();
  return String((mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff) % 1e6).padStart(6, "0");
}

module.exports = { nextStep, shown };
