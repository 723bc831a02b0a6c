// Another origin, which wants something done in the name of whoever visits it.
"use strict";

const assert = require("node:assert/strict");
const http = require("node:http");
const { setTimeout: sleep } = require("node:timers/promises");
const { expect, open, sessionCookies, signInAt } = require("./browser.js");
const { call, member, sessionIds, signIn } = require("./client.js");
const { APP, AUTH, PATIENCE } = require("./stage.js");

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

/** Ways to make a browser send something. Each runs in the attacker's page, and can use nothing from outside itself. */
const ATTACKS = {
  form: (wish) => {
    const form = document.body.appendChild(document.createElement("form"));
    Object.assign(form, { action: wish.url, method: "POST", target: "sink" });
    // `_method`: what some frameworks take for the real one. `csrf_token`: the field of the host's own forms.
    for (const [name, value] of Object.entries({ ...wish.body, _method: wish.method, csrf_token: wish.csrf })) {
      form.append(Object.assign(document.createElement("input"), { name, value }));
    }
    document.body.append(Object.assign(document.createElement("iframe"), { name: "sink" }));
    form.submit();
  },
  "form as text": (wish) => {
    const form = document.body.appendChild(document.createElement("form"));
    Object.assign(form, { action: wish.url, method: "POST", enctype: "text/plain", target: "_blank" });
    // `name=value` becomes JSON: {"email":"…","padding":"="}
    const name = `${JSON.stringify({ ...wish.body, csrf_token: wish.csrf }).slice(0, -1)},"padding":"`;
    form.append(Object.assign(document.createElement("input"), { name, value: '"}' }));
    form.submit();
  },
  "form in several parts": (wish) => {
    const form = document.body.appendChild(document.createElement("form"));
    const url = `${wish.url}?_method=${wish.method}`;
    Object.assign(form, { action: url, method: "POST", enctype: "multipart/form-data", target: "_blank" });
    form.append(Object.assign(document.createElement("input"), { name: "csrf_token", value: wish.csrf }));
    form.submit();
  },
  "form without an origin": (wish) => {
    const form = document.body.appendChild(document.createElement("form"));
    // Without a referrer, browsers send `Origin: null`.
    Object.assign(form, { action: wish.url, method: "POST", target: "_blank", rel: "noreferrer" });
    form.append(Object.assign(document.createElement("input"), { name: "csrf_token", value: wish.csrf }));
    form.submit();
  },
  "form that asks": (wish) => {
    const form = document.body.appendChild(document.createElement("form"));
    Object.assign(form, { action: wish.url, method: "GET", target: "_blank" });
    form.append(Object.assign(document.createElement("input"), { name: "_method", value: wish.method }));
    form.submit();
  },
  fetch: ({ method, url, body, csrf }) => {
    const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf };
    const sent = fetch(url, { method, headers, credentials: "include", body: JSON.stringify(body) });
    return sent.then((reply) => `${reply.status}`, (error) => `${error}`);
  },
  "fetch without CORS": ({ url, body }) => {
    const options = { method: "POST", mode: "no-cors", credentials: "include", body: JSON.stringify(body) };
    return fetch(url, options).then((reply) => reply.type);
  },
  "fetch without a body": ({ url }) => {
    const options = { method: "POST", mode: "no-cors", credentials: "include" };
    return fetch(url, options).then((reply) => reply.type);
  },
  beacon: ({ url, body }) => {
    navigator.sendBeacon(url, new Blob([JSON.stringify(body)], { type: "text/plain" }));
  },
  image: ({ method, url }) => {
    document.body.append(Object.assign(new Image(), { src: `${url}?_method=${method}` }));
  },
  frame: ({ method, url }) => {
    document.body.append(Object.assign(document.createElement("iframe"), { src: `${url}?_method=${method}` }));
  },
};

const fetchText = (url) => fetch(url, { credentials: "include" }).then((reply) => reply.text(), (error) => `${error}`);

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

/** The next request to `url`: how it was sent, and the status of its reply if it had one. */
function arrival(context, url) {
  return new Promise((done) => {
    const is = (request) => request.url().split("?")[0] === url;
    const settle = (outcome) => {
      context.off("response", answered);
      context.off("requestfailed", failed);
      done(outcome);
    };
    const answered = (response) => failed(response.request(), response.status());
    const failed = (request, status) => is(request) && settle({ sent: request.method(), status, headers: request.allHeaders() });
    context.on("response", answered);
    context.on("requestfailed", failed);
  });
}

async function closeOthers(context, page) {
  await Promise.all(context.pages().filter((other) => other !== page).map((other) => other.close()));
  await page.evaluate(() => document.body.replaceChildren());
}

function withPatience(promise, what) {
  const late = sleep(PATIENCE, null, { ref: false }).then(() => Promise.reject(new Error(`${what}: nothing happened`)));
  return Promise.race([promise, late]);
}

/** A server of empty pages: its port. */
async function serveFoe() {
  const server = http.createServer((_, reply) => {
    reply.setHeader("Content-Type", "text/html");
    reply.end('<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Kittens</title>');
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  // It ends with the script, however that ends.
  server.unref();
  return server.address().port;
}

module.exports = { attacks };
