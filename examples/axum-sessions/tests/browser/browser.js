// The browser, and whom it talks to.
"use strict";

const assert = require("node:assert/strict");
const { chromium } = require(process.env.PORTCULLIS_TEST_PLAYWRIGHT);
const { isSessions } = require("./client.js");
const { APP, PATIENCE } = require("./stage.js");

/** Another site. Its name leads to this machine, in this browser only; all others lead nowhere. */
const ELSEWHERE = "evil.test";

/** The origins that may be sent requests, and all others that were. */
const known = new Set([APP]);
const asked = new Set();

/** What pages of the application did against their own policy, or failed to do. */
const violations = [];

/** Plays a scene. */
async function play(scene) {
  const browser = await chromium.launch({
    executablePath: process.env.PORTCULLIS_TEST_CHROMIUM,
    // Chromium's sandbox refuses to be root's, and only our own pages are opened.
    args: ["--no-sandbox", `--host-resolver-rules=MAP ${ELSEWHERE} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`],
  });
  try {
    await scene(browser);
    assert.deepEqual([...asked], [], "origins that nobody should ask anything of");
    assert.deepEqual(violations, [], "what our pages did wrong");
  } finally {
    await browser.close();
  }
}

/** Allows requests to a further origin. */
function expect(origin) {
  known.add(origin);
}

/** A browser of somebody's own. */
async function open(browser, options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE);
  context.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== "data:" && !known.has(origin)) asked.add(origin);
  });
  context.on("console", (message) => {
    const isOurs = message.location().url.startsWith(APP) && message.page()?.url().startsWith(APP);
    if (isOurs && message.text().includes("Content Security Policy")) violations.push(message.text());
  });
  context.on("weberror", (error) => violations.push(`${error.error()}`));
  return context;
}

/** The session's cookie and that of its CSRF token, or none, as the browser keeps them. */
async function sessionCookies(context) {
  const cookies = (await context.cookies(APP)).filter(({ name }) => isSessions(name));
  return cookies.sort((one, other) => other.name.localeCompare(one.name));
}

async function signInAt(page, { email, password }) {
  const form = region(page, "Sign in");
  await form.getByLabel("E-mail address").fill(email);
  await form.getByLabel("Password").fill(password);
  await form.getByRole("button").click();
}

/** Fills in the form of that name and sends it. */
async function submit(page, name, fields = {}) {
  const form = page.getByRole("form", { name });
  for (const [label, value] of Object.entries(fields)) await form.getByLabel(label).fill(value);
  await form.getByRole("button").click();
}

function region(page, name) {
  return page.getByRole("region", { name });
}

module.exports = { ELSEWHERE, expect, open, play, region, sessionCookies, signInAt, submit };
