// Signing in by two steps, with each of the second ones.
"use strict";

const assert = require("node:assert/strict");
const { open, sessionCookies, submit } = require("../../../axum-sessions/tests/browser/browser.js");
const { call, member } = require("../../../axum-sessions/tests/browser/client.js");
const { code, mail } = require("../../../axum-sessions/tests/browser/mail.js");
const { APP } = require("../../../axum-sessions/tests/browser/stage.js");
const { nextStep, shown } = require("./authenticator.js");

const REFUSED = "The code is not valid.";

async function mailedCode(browser) {
  const { ann, context, page } = await signedIn(browser);
  await submit(page, "Codes by mail");
  const switchesOn = code(await mail(ann.email, "second-factor"));
  await submit(page, "Code of the mail", { "Code of the mail": switchesOn });
  assert.equal((await recoveryCodes(page)).length, 10);
  await signOut(page);

  await firstStep(page, ann);
  await said(page, "We have mailed you a code.");
  await isNobody(context, page);
  // The newer mail: the other code is spent, and was for something else.
  const signsIn = code(await mail(ann.email, "second-factor", (lines) => code(lines) !== switchesOn));
  await secondStep(page, signsIn === "000000" ? "000001" : "000000");
  await said(page, REFUSED);
  await isNobody(context, page);
  await secondStep(page, signsIn);
  await page.waitForURL(`${APP}/board`);

  // The challenge is spent with it.
  const again = await firstStepElsewhere(browser, ann);
  await secondStep(again, signsIn);
  await said(again, REFUSED);
  await isNobody(again.context(), again);
  await context.close();
}

async function app(browser) {
  const { ann, context, page } = await signedIn(browser);
  await submit(page, "Authenticator app");
  await page.locator("#picture svg").waitFor();
  const secret = await page.locator("#secret").textContent();
  let step = await nextStep();
  await submit(page, "Code of the app", { "Code of the app": shown(secret, step) });
  const [first, second] = await recoveryCodes(page);
  await signOut(page);

  await firstStep(page, ann);
  await said(page, "What does your authenticator app show?");
  // MF1: whoever looked over the shoulder is late.
  await secondStep(page, shown(secret, step));
  await said(page, REFUSED);
  await isNobody(context, page);
  step = await nextStep(step);
  await secondStep(page, shown(secret, step));
  await page.waitForURL(`${APP}/board`);

  // MF5: without the phone. Each does once.
  const elsewhere = await firstStepElsewhere(browser, ann);
  await secondStep(elsewhere, first);
  await elsewhere.waitForURL(`${APP}/board`);
  const again = await firstStepElsewhere(browser, ann);
  await secondStep(again, first);
  await said(again, REFUSED);
  await isNobody(again.context(), again);
  await secondStep(again, second);
  await again.waitForURL(`${APP}/board`);
  await mail(ann.email, "notice");
  const cookies = await sessionCookies(context);
  assert.equal((await call("GET", "/mfa", { cookies })).json.recoveryCodesLeft, 8);
  await context.close();
}

/** Somebody without a second factor, signed in on the front page. */
async function signedIn(browser) {
  const ann = await member();
  const context = await open(browser);
  const page = await context.newPage();
  await page.goto(APP);
  await firstStep(page, ann);
  await page.waitForURL(`${APP}/board`);
  await page.goto(APP);
  return { ann, context, page };
}

async function firstStepElsewhere(browser, ann) {
  const page = await (await open(browser)).newPage();
  await page.goto(APP);
  await firstStep(page, ann);
  await page.getByRole("form", { name: "Second step" }).waitFor();
  return page;
}

function firstStep(page, { email, password }) {
  return submit(page, "Sign in", { "E-mail address": email, Password: password });
}

function secondStep(page, shown) {
  return submit(page, "Second step", { Code: shown });
}

async function signOut(page) {
  await submit(page, "Sign out");
  await page.getByRole("form", { name: "Sign in" }).waitFor();
}

/** The codes that the page has shown, this once. */
async function recoveryCodes(page) {
  const shown = page.getByRole("status").filter({ hasText: "each of these does once" });
  return (await shown.textContent()).match(/(?:\w{4}-){3}\w{4}/g);
}

/** One step opens nothing. */
async function isNobody(context, page) {
  assert.deepEqual(await sessionCookies(context), []);
  assert.equal(await page.evaluate(() => fetch("/board").then((reply) => reply.status)), 401);
}

function said(page, text) {
  return page.getByRole("status").filter({ hasText: text }).waitFor();
}

module.exports = { app, mailedCode };
