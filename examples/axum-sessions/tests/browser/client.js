// A client that is no browser: it does what the scene isn't about, and looks at what the server holds.
"use strict";

const assert = require("node:assert/strict");
const { randomUUID } = require("node:crypto");
const { code, mail } = require("./mail.js");
const { AUTH } = require("./stage.js");

/** Somebody nobody has heard of yet. */
function person() {
  return { email: `ann-${randomUUID()}@example.com`, password: "quietly harvest umbrella" };
}

/** Somebody with an account. */
async function member() {
  const ann = person();
  await call("POST", "/register", { body: ann });
  const confirmed = { email: ann.email, code: code(await mail(ann.email, "verify")) };
  assert.equal((await call("POST", "/verify/confirm", { body: confirmed })).status, 200);
  return ann;
}

function signIn({ email, password }) {
  return call("POST", "/login", { body: { email, password } });
}

/** A request of a client that is no browser; of the cookies, those that aren't HttpOnly are the CSRF token's. */
async function call(method, at, { body, cookies = [] } = {}) {
  const headers = { Cookie: cookies.map(({ name, value }) => `${name}=${value}`).join("; ") };
  const csrf = cookies.find((cookie) => !cookie.httpOnly);
  if (csrf) headers["X-CSRF-Token"] = csrf.value;
  if (body) headers["Content-Type"] = "application/json";
  const reply = await fetch(AUTH + at, { method, headers, body: body && JSON.stringify(body) });
  const text = await reply.text();
  const set = reply.headers.getSetCookie().map((line) => {
    const [, name, value, attributes] = /^([^=]*)=([^;]*)(.*)$/.exec(line);
    return { name, value, httpOnly: /; *HttpOnly/i.test(attributes) };
  });
  return { status: reply.status, json: text && JSON.parse(text), cookies: set.filter(({ name }) => isSessions(name)) };
}

async function sessionIds(cookies) {
  return (await call("GET", "/sessions", { cookies })).json.sessions.map((session) => session.id).sort();
}

/** One cookie, `device`, outlives sessions. */
function isSessions(name) {
  return name !== "device";
}

module.exports = { call, isSessions, member, person, sessionIds, signIn };
