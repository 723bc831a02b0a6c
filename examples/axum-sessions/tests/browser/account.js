// An account and its sessions, as its owner uses them.
"use strict";

const assert = require("node:assert/strict");
const { open, region, sessionCookies, signInAt } = require("./browser.js");
const { call, person, signIn } = require("./client.js");
const { code, mail } = require("./mail.js");
const { APP } = require("./stage.js");

async function account(browser) {
  const ann = person();
  const [laptop, phone] = [await open(browser), await open(browser)];
  const page = await laptop.newPage();
  await page.goto(APP);

  const signUp = region(page, "Sign up");
  await signUp.getByLabel("Name").fill("Ann");
  await signUp.getByLabel("E-mail address").fill(ann.email);
  await signUp.getByLabel("New password").fill("password");
  await signUp.getByRole("button").click();
  await signUp.getByRole("alert").filter({ hasText: /\w/ }).waitFor();
  assert.equal(await signUp.getByLabel("New password").getAttribute("aria-invalid"), "true");
  assert.ok(await signUp.getByLabel("New password").evaluate((input) => input === document.activeElement));
  await signUp.getByLabel("New password").fill(ann.password);
  await signUp.getByRole("button").click();

  const confirm = region(page, "Look into your mail");
  await confirm.getByText(ann.email).waitFor();
  // EN8: until the mail is confirmed, there is nobody to sign in.
  assert.equal((await signIn(ann)).status, 401);
  await confirm.getByLabel("Code").fill(code(await mail(ann.email, "verify")));
  await confirm.getByRole("button").click();
  await page.getByText("Your address is confirmed.").waitFor();

  // EN8: somebody who signs up with a taken address is told the same. Its owner is told in a mail.
  const stranger = await (await open(browser)).newPage();
  await stranger.goto(APP);
  const again = region(stranger, "Sign up");
  await again.getByLabel("E-mail address").fill(ann.email);
  await again.getByLabel("New password").fill("another willow lantern");
  await again.getByRole("button").click();
  await region(stranger, "Look into your mail").getByText(ann.email).waitFor();
  await mail(ann.email, "exists");

  await signInAt(page, { ...ann, password: "not this password" });
  await region(page, "Sign in").getByRole("alert").filter({ hasText: /\w/ }).waitFor();
  assert.deepEqual(await laptop.cookies(), []);
  await signInAt(page, ann);
  await page.getByText("You are signed in as Ann").waitFor();

  // CS1: the cookies, and what scripts see of them.
  const [session, csrf] = await sessionCookies(laptop);
  const { httpOnly, sameSite, path: scope, domain } = session;
  assert.deepEqual({ httpOnly, sameSite, scope, domain }, { httpOnly: true, sameSite: "Strict", scope: "/", domain: "127.0.0.1" });
  assert.deepEqual([csrf.httpOnly, csrf.sameSite], [false, "Strict"]);
  const readable = await page.evaluate(() => document.cookie);
  assert.ok(readable.includes(csrf.value) && !readable.includes(session.value), readable);
  const stored = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.documentElement.outerHTML]));
  assert.ok(!stored.includes(session.value) && !stored.includes(csrf.value));

  const other = await phone.newPage();
  await other.goto(APP);
  await signInAt(other, ann);
  await other.getByText("You are signed in as Ann").waitFor();
  const [theirs, theirCsrf] = await sessionCookies(phone);
  assert.ok(theirs.value !== session.value && theirCsrf.value !== csrf.value);

  // SE6: ending the other session ends it at once, and only that one.
  await page.reload();
  const sessions = region(page, "Where you are signed in").getByRole("listitem");
  await sessions.nth(1).waitFor();
  assert.deepEqual([await sessions.count(), await sessions.filter({ hasText: "(this one)" }).count()], [2, 1]);
  await sessions.filter({ hasNotText: "(this one)" }).getByRole("button").click();
  await page.getByText("That session has ended.").waitFor();
  assert.equal(await sessions.count(), 1);
  assert.equal((await call("GET", "/me", { cookies: [theirs] })).status, 401);
  await other.reload();
  await region(other, "Sign in").waitFor();

  // The dead cookie is no obstacle, and no way in: SE2, a sign-in makes a new secret.
  await signInAt(other, ann);
  await other.getByText("You are signed in as Ann").waitFor();
  const [renewed] = await sessionCookies(phone);
  assert.notEqual(renewed.value, theirs.value);

  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByText("You are signed out.").waitFor();
  assert.deepEqual(await sessionCookies(laptop), []);
  assert.equal((await call("GET", "/me", { cookies: [session] })).status, 401);
  assert.equal((await call("GET", "/me", { cookies: [renewed] })).status, 200);

  await signInAt(page, ann);
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await page.getByText("You are signed out everywhere.").waitFor();
  assert.equal((await call("GET", "/me", { cookies: [renewed] })).status, 401);
  await other.reload();
  await region(other, "Sign in").waitFor();
  await Promise.all([laptop, phone].map((context) => context.close()));
}

module.exports = { account };
