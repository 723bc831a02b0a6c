// Signing in by both steps and out again, and what the browser keeps of it.
"use strict";

const assert = require("node:assert/strict");
const { open, sessionCookies, submit } = require("../../../axum-sessions/tests/browser/browser.js");
const { call, member } = require("../../../axum-sessions/tests/browser/client.js");
const { APP } = require("../../../axum-sessions/tests/browser/stage.js");
const { mailedCode, signIn, signInAt } = require("./steps.js");

async function bothSteps(browser) {
  const ann = await member();
  const context = await open(browser);
  const page = await context.newPage();
  await page.goto(APP);
  const said = (text) => page.getByRole("status").filter({ hasText: text }).waitFor();
  const read = () => page.evaluate(() => fetch("/news").then((reply) => reply.status));

  // MF4: after one step there is a cookie, which opens nothing.
  await submit(page, "Sign in", { "E-mail address": ann.email, Password: ann.password });
  await said("We have mailed you a code.");
  const [challenge] = await kept(context, page, ["two_factor_auth"]);
  assert.equal(await read(), 401);
  await submit(page, "Second step", { Code: "0000-0000-0000-0000" });
  await said("The code is not valid.");
  assert.deepEqual(await kept(context, page, ["two_factor_auth"]), [challenge]);
  const digits = await mailedCode(ann);
  await submit(page, "Second step", { Code: digits });
  await page.waitForURL(`${APP}/news`);
  const [access, refresh] = await kept(context, page, ["access_token", "refresh_token"]);
  const spent = await call("POST", "/login/2fa", { body: { code: digits }, cookies: [challenge] });
  assert.equal(spent.status, 401);

  // The form has no token, and works here.
  await page.getByLabel("Something new").fill("The canteen has soup");
  await page.getByRole("button", { name: "Tell" }).click();
  await page.getByRole("listitem").filter({ hasText: "soup" }).waitFor();

  await page.getByRole("button", { name: "Stay signed in" }).click();
  await said("You stay signed in.");
  const renewed = await kept(context, page, ["access_token", "refresh_token"]);
  assert.ok(renewed[0].value !== access.value && renewed[1].value !== refresh.value);

  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("form", { name: "Sign in" }).waitFor();
  await kept(context, page, []);
  assert.equal(await read(), 401);
  assert.equal((await call("GET", "/me", { cookies: renewed })).status, 401);
  assert.equal((await call("POST", "/refresh", { cookies: renewed })).status, 401);

  const phone = await signIn(ann);
  await signInAt(page, ann);
  assert.equal((await call("GET", "/me", { cookies: phone })).status, 200);
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await page.getByRole("form", { name: "Sign in" }).waitFor();
  assert.equal((await call("GET", "/me", { cookies: phone })).status, 401);
  await context.close();
}

/** CS1: the browser keeps cookies of just these names, each as it should be, and the page can neither read nor replace them. */
async function kept(context, page, names) {
  const cookies = (await sessionCookies(context)).reverse();
  assert.deepEqual(cookies.map(({ name }) => name), names);
  for (const { httpOnly, sameSite, path, domain } of cookies) {
    assert.deepEqual({ httpOnly, sameSite, path, domain }, { httpOnly: true, sameSite: "Lax", path: "/", domain: "127.0.0.1" });
  }
  await page.evaluate((names) => names.forEach((name) => document.cookie = `${name}=forged; path=/`), names);
  assert.deepEqual((await sessionCookies(context)).reverse(), cookies);
  assert.equal(await page.evaluate(() => document.cookie), "");
  const seen = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.documentElement.outerHTML]));
  assert.ok(cookies.every(({ value }) => !seen.includes(value)));
  return cookies;
}

module.exports = { bothSteps };
