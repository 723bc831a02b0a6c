// Another origin, which wants something done in the name of whoever visits it. There is no CSRF token that it would have to
// know: SameSite=Lax keeps the cookies from other sites, and the check of origins stands before other ports.
"use strict";

const assert = require("node:assert/strict");
const { expect, open, sessionCookies } = require("../../../axum-sessions/tests/browser/browser.js");
const { call, member, sessionIds } = require("../../../axum-sessions/tests/browser/client.js");
const { APP, AUTH } = require("../../../axum-sessions/tests/browser/stage.js");
const { ATTACKS, arrival, closeOthers, fetchText, serveFoe, withPatience } = require("../../../axum-sessions/tests/browser/ways.js");
const { firstStep, signIn, signInAt } = require("./steps.js");

/** All attacks from a port of `host`, each on a victim who is signed in. None changes anything. */
async function attacks(browser, host) {
  const origin = `http://${host}:${await serveFoe()}`;
  const isSameHost = host === new URL(APP).hostname;
  expect(origin);
  const [victim, attacker] = [await member(), await member()];
  const context = await open(browser);
  const page = await context.newPage();
  await page.goto(APP);
  await signInAt(page, victim);
  const cookies = await sessionCookies(context);
  const [sessionId] = await sessionIds(cookies);
  // At its strongest: both steps into an account of the attacker's own, for the victim to write into.
  const trap = await firstStep(attacker);
  const own = await signIn(attacker);

  // What the server holds, and what the browser holds of it.
  const state = async () => ({
    cookies: await sessionCookies(context),
    user: (await call("GET", "/me", { cookies })).json.user,
    sessions: await sessionIds(cookies),
    news: await read(cookies),
  });
  const before = await state();
  assert.deepEqual([before.sessions, before.news.status], [[sessionId], 200]);

  const wishes = [
    ["POST", `${AUTH}/login/credentials`, attacker],
    ["POST", `${AUTH}/login/2fa`, trap],
    ["POST", `${AUTH}/refresh`, {}],
    ["POST", `${AUTH}/logout`, {}],
    ["POST", `${AUTH}/logout/all`, {}],
    ["DELETE", `${AUTH}/sessions/${sessionId}`, {}],
    ["POST", `${AUTH}/password/change`, { currentPassword: victim.password, newPassword: "another willow lantern" }],
    ["PATCH", `${AUTH}/me`, { name: "Eve" }],
    ["POST", `${AUTH}/email/change/request`, { email: attacker.email }],
    ["DELETE", `${AUTH}/me`, {}],
    ["POST", `${APP}/news`, { text: "Forged" }],
  ];
  await page.goto(origin);
  for (const [method, url, body] of wishes) {
    const wish = { method, url, body, csrf: "" };
    for (const [name, attack] of Object.entries(ATTACKS)) {
      const what = `${method} ${url} by ${name}`;
      const request = arrival(context, url);
      await page.evaluate(attack, wish);
      const { sent, status, headers } = await withPatience(request, what);
      // Whoever asks may be answered, and see nothing of it. A refused preflight leaves the request itself unanswered.
      assert.ok(sent === "GET" || (name === "fetch" ? status === undefined : status >= 400), `${what}: ${status}`);
      // CS1: SameSite=Lax keeps the tokens from what another site sends, and lets links to us be links. Of what loads no page,
      // Chromium doesn't tell which cookies go along.
      if (name.startsWith("form")) {
        const goAlong = isSameHost || name === "form that asks";
        const given = (await headers).cookie ?? "";
        for (const { name, value } of cookies) assert.equal(given.includes(`${name}=${value}`), goAlong, `${what}: ${name}`);
      }
      assert.deepEqual(await state(), before, what);
      await closeOthers(context, page);
    }
  }
  for (const url of [`${AUTH}/me`, `${AUTH}/sessions`, `${APP}/news`]) {
    assert.equal(await page.evaluate(fetchText, url), "TypeError: Failed to fetch", url);
  }

  // Nobody has gone into the trap, and nobody else's session has come to be.
  assert.equal((await sessionIds(own)).length, 1);
  assert.equal((await call("POST", "/login/2fa", { body: trap })).status, 200);
  await context.close();
}

async function read(cookies) {
  const headers = { Cookie: cookies.map(({ name, value }) => `${name}=${value}`).join("; ") };
  const reply = await fetch(`${APP}/news`, { headers });
  return { status: reply.status, text: await reply.text() };
}

module.exports = { attacks };
