// Signing in, by the page and past it.
"use strict";

const assert = require("node:assert/strict");
const { submit } = require("../../../axum-sessions/tests/browser/browser.js");
const { call } = require("../../../axum-sessions/tests/browser/client.js");
const { code, mail } = require("../../../axum-sessions/tests/browser/mail.js");
const { APP } = require("../../../axum-sessions/tests/browser/stage.js");

const used = new Set();

/** The code of a mail that nobody has asked for yet. */
async function mailedCode({ email }) {
  const key = (lines) => `${email} ${code(lines)}`;
  const lines = await mail(email, "second-factor", (lines) => !used.has(key(lines)));
  used.add(key(lines));
  return code(lines);
}

/** Both steps on the page, which is the door; it is the news then. */
async function signInAt(page, ann) {
  await submit(page, "Sign in", { "E-mail address": ann.email, Password: ann.password });
  await submit(page, "Second step", { Code: await mailedCode(ann) });
  await page.waitForURL(`${APP}/news`);
}

/** The first step of a client that is no browser: what the second one takes. */
async function firstStep(ann) {
  const { status, json } = await call("POST", "/login/credentials", { body: ann });
  assert.equal(status, 200);
  return { challenge: json.challenge, code: await mailedCode(ann) };
}

/** The cookies of a client that is no browser. */
async function signIn(ann) {
  const { status, cookies } = await call("POST", "/login/2fa", { body: await firstStep(ann) });
  assert.equal(status, 200);
  return cookies.filter(({ value }) => value !== "");
}

module.exports = { firstStep, mailedCode, signIn, signInAt };
