// Ways in which a page makes a browser send something to somebody else's application.
"use strict";

const http = require("node:http");
const { setTimeout: sleep } = require("node:timers/promises");
const { PATIENCE } = require("./stage.js");

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

/** Reads what is at `url`, as whoever is signed in there. */
const fetchText = (url) => fetch(url, { credentials: "include" }).then((reply) => reply.text(), (error) => `${error}`);

/** The next request to `url`: how it was sent, and the status of its reply if it had one. What becomes of earlier ones, which a
 * browser may give up after their reply, is no answer to this one. */
function arrival(context, url) {
  return new Promise((done) => {
    const begun = new Set();
    const began = (request) => request.url().split("?")[0] === url && begun.add(request);
    const settle = (outcome) => {
      context.off("request", began);
      context.off("response", answered);
      context.off("requestfailed", failed);
      done(outcome);
    };
    const answered = (response) => failed(response.request(), response.status());
    const failed = (request, status) =>
      begun.has(request) && settle({ sent: request.method(), status, headers: request.allHeaders() });
    context.on("request", began);
    context.on("response", answered);
    context.on("requestfailed", failed);
  });
}

/** Closes what an attack has opened. */
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

module.exports = { ATTACKS, arrival, closeOthers, fetchText, serveFoe, withPatience };
