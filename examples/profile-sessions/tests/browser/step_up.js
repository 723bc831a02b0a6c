// Proving again who one is, for what wants a fresh sign-in.
"use strict";

const assert = require("node:assert/strict");
const { open, sessionCookies, submit } = require("../../../axum-sessions/tests/browser/browser.js");
const { APP } = require("../../../axum-sessions/tests/browser/stage.js");

/** An editor, who has an account from the start. */
const EDITOR = { email: "editor@example.com", password: "quietly harvest umbrella" };

async function stepUp(browser) {
  const context = await open(browser);
  const page = await context.newPage();
  await page.goto(APP);
  await submit(page, "Sign in", { "E-mail address": EDITOR.email, Password: EDITOR.password });
  await page.waitForURL(`${APP}/board`);
  const pin = async (text) => {
    await page.getByLabel("Another notice").fill(text);
    await page.getByRole("button", { name: "Pin" }).click();
    await page.getByRole("listitem").filter({ hasText: text }).waitFor();
  };
  const clear = () => page.getByRole("button", { name: "Take all down" }).click();
  const enrol = () => page.evaluate(async () => {
    const csrf = /csrf=([^;]*)/.exec(document.cookie)[1];
    const reply = await fetch("/auth/mfa/totp/enrol", { method: "POST", headers: { "X-CSRF-Token": csrf } });
    return [reply.status, (await reply.json()).code];
  });

  // Fresh from signing in.
  await pin("Lost: one umbrella");
  await clear();
  await page.getByRole("listitem").waitFor({ state: "detached" });

  // Eleven minutes later the session still pins, and no more.
  await later();
  await pin("Found: one umbrella");
  assert.deepEqual(await enrol(), [403, "REAUTHENTICATION_REQUIRED"]);
  await clear();
  await page.waitForURL(`${APP}/#again`);
  const before = await sessionCookies(context);
  await submit(page, "Prove again", { "Your password": "not this password" });
  await page.getByRole("status").filter({ hasText: /\w/ }).waitFor();
  assert.deepEqual(await enrol(), [403, "REAUTHENTICATION_REQUIRED"]);
  await submit(page, "Prove again", { "Your password": EDITOR.password });
  await page.getByText("Thank you, go on.").waitFor();
  assert.equal((await enrol())[0], 200);

  // SE2: under another secret, and the one before is dead.
  const after = await sessionCookies(context);
  assert.notEqual(after[0].value, before[0].value);
  const stolen = await fetch(`${APP}/board`, { headers: { Cookie: `session=${before[0].value}` } });
  assert.equal(stolen.status, 401);
  await page.getByRole("link", { name: "To the board" }).click();
  await page.getByRole("listitem").filter({ hasText: "Found" }).waitFor();
  await clear();
  await page.getByRole("listitem").waitFor({ state: "detached" });
  await context.close();
}

/** Eleven minutes go by. */
async function later() {
  assert.equal((await fetch(`${APP}/later`, { method: "POST" })).status, 200);
}

module.exports = { stepUp };
