// Another origin, which wants something done in the name of whoever visits it.
"use strict";

const assert = require("node:assert/strict");
const { expect, open, sessionCookies, signInAt } = require("./browser.js");
const { call, member, sessionIds, signIn } = require("./client.js");
const { APP, AUTH } = require("./stage.js");
const { ATTACKS, arrival, closeOthers, fetchText, serveFoe, withPatience } = require("./ways.js");

/** All attacks from a port of `host`, each on a victim who is signed in. None changes anything. */
async function attacks(browser, host) {
  const origin = `http://${host}:${await serveFoe()}`;
  expect(origin);
  const [victim, attacker] = [await member(), await member()];
  const context = await open(browser);
  const page = await context.newPage();
  await page.goto(APP);
  await signInAt(page, victim);
  await page.getByText("You are signed in as").waitFor();
  const own = (await signIn(attacker)).cookies;
  const cookies = await sessionCookies(context);
  const sessionId = (await call("GET", "/me", { cookies })).json.session.id;

  // What the server holds, and what the browser holds of it. A sign-in under the attacker's name would show too.
  const state = async () => ({
    cookies: await sessionCookies(context),
    user: (await call("GET", "/me", { cookies })).json.user,
    sessions: await sessionIds(cookies),
    attacker: await sessionIds(own),
  });
  const before = await state();
  assert.deepEqual([before.sessions, before.attacker.length], [[sessionId], 1]);

  const wishes = [
    ["POST", "/login", attacker],
    ["POST", "/logout", {}],
    ["POST", "/logout/all", {}],
    ["DELETE", `/sessions/${sessionId}`, {}],
    ["POST", "/password/change", { currentPassword: victim.password, newPassword: "another willow lantern" }],
    ["PATCH", "/me", { name: "Eve" }],
    ["POST", "/email/change/request", { email: attacker.email }],
    ["DELETE", "/me", {}],
  ];
  await page.goto(origin);
  const messages = [];
  page.on("console", (message) => messages.push(message.text()));
  // At its strongest: it knows the CSRF token, as a page on another port of the same host does.
  const [session, csrf] = cookies.map((cookie) => cookie.value);
  const isSameHost = host === new URL(APP).hostname;
  assert.equal((await page.evaluate(() => document.cookie)).includes(csrf), isSameHost);

  for (const [method, at, body] of wishes) {
    const wish = { method, url: AUTH + at, body, csrf };
    for (const [name, attack] of Object.entries(ATTACKS)) {
      const what = `${method} ${at} by ${name}`;
      messages.length = 0;
      const request = arrival(context, wish.url);
      const outcome = await page.evaluate(attack, wish);
      const { sent, status, headers } = await withPatience(request, what);
      // Whoever asks may be answered, and see nothing of it. A refused preflight leaves the request itself unanswered.
      assert.ok(sent === "GET" || (name === "fetch" ? status === undefined : status >= 400), `${what}: ${status}`);
      if (name === "form") {
        // CS1: SameSite=Strict keeps the session from other sites, and only from those.
        assert.equal(((await headers).cookie ?? "").includes(session), isSameHost, what);
      }
      if (name === "fetch") {
        assert.equal(outcome, "TypeError: Failed to fetch", what);
        assert.ok(messages.some((message) => message.includes("blocked by CORS policy")), `${what}: ${messages}`);
      }
      assert.deepEqual(await state(), before, what);
      await closeOthers(context, page);
    }
  }

  for (const at of ["/me", "/sessions", "/csrf", "/me/export"]) {
    const outcome = await page.evaluate(fetchText, AUTH + at);
    assert.equal(outcome, "TypeError: Failed to fetch", at);
    // As a script it isn't JavaScript, and no browser may guess that it is.
    assert.equal(await page.evaluate(loadScript, AUTH + at), "error", at);
  }
  // Nor can it be laid under a page, for clicks that mean something else.
  assert.equal(await page.evaluate(frame, APP), null);
  assert.ok(!page.frames().some((frame) => frame.url().startsWith(APP)), page.frames().map((frame) => frame.url()).join());

  // The password is what it was, and so is the right to do all that from the page itself.
  assert.equal((await signIn(victim)).status, 200);
  await page.goto(APP);
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await page.getByText("You are signed out everywhere.").waitFor();
  assert.equal((await call("GET", "/me", { cookies })).status, 401);
  await context.close();
}

const loadScript = (src) => new Promise((done) => {
  const script = Object.assign(document.createElement("script"), { src });
  script.onload = () => done("load");
  script.onerror = () => done("error");
  document.head.append(script);
});

const frame = (src) => new Promise((done) => {
  const frame = Object.assign(document.createElement("iframe"), { src });
  // What is refused counts as loaded, but as nobody's: its document can't be had, like any other site's.
  frame.onload = () => done(frame.contentDocument);
  document.body.append(frame);
});

module.exports = { attacks };
