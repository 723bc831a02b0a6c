// Mail that arrived.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs/promises");
const path = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
const { APP, MAILS, PATIENCE } = require("./stage.js");

/** The text of the newest mail of that kind to somebody, perhaps with something in it, as soon as there is one. */
async function mail(to, kind, has = () => true) {
  const header = (raw, name) => new RegExp(`^${name}: *(.*?)\r?$`, "m").exec(raw)?.[1];
  for (const deadline = Date.now() + PATIENCE; Date.now() < deadline; await sleep(50)) {
    // What is still being written begins with a dot.
    const names = (await fs.readdir(MAILS).catch(() => [])).filter((name) => !name.startsWith(".")).sort().reverse();
    for (const name of names) {
      const raw = await fs.readFile(path.join(MAILS, name), "utf8");
      if (header(raw, "To") !== to || header(raw, "X-Auth-Mail") !== kind) continue;
      const lines = readable(raw);
      if (has(lines)) return lines;
    }
  }
  throw new Error(`no mail (${kind}) for ${to}`);
}

/** The first part, which is plain text, without its transfer encoding (RFC 2045 §6). */
function readable(raw) {
  const part = raw.split(/^--part-.*$/m)[1];
  const encoding = /^Content-Transfer-Encoding: *(.*?)\r?$/m.exec(part)[1];
  // Most mail is plain ASCII as it is, where `?token=3D…` means what it says.
  if (encoding === "7bit") return part.split(/\r?\n/);
  assert.equal(encoding, "quoted-printable");
  const bytes = part.replace(/=\r?\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8").split(/\r?\n/);
}

/** The six digits that stand alone on a line. */
function code(lines) {
  return lines.find((line) => /^\d{6}$/.test(line));
}

/** The link that stands alone on a line. */
function link(lines) {
  return lines.find((line) => line.startsWith(`${APP}/`));
}

module.exports = { code, link, mail };
