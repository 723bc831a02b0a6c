// The server's own pages, which links in mail lead to.
"use strict";

const assert = require("node:assert/strict");
const { open } = require("./browser.js");
const { call, person, signIn } = require("./client.js");
const { link, mail } = require("./mail.js");

async function mailPages(browser) {
  const context = await open(browser, { javaScriptEnabled: false });
  const page = await context.newPage();

  // VT8: mail scanners open links; only the button confirms.
  const ann = person();
  assert.equal((await call("POST", "/register", { body: { ...ann, name: "Ann" } })).status, 202);
  const verification = link(await mail(ann.email, "verify"));
  for (let time = 0; time < 3; time++) await visit(page, verification);
  assert.equal((await signIn(ann)).status, 401);
  await page.getByRole("button").click();
  await page.getByRole("heading", { name: "confirmed" }).waitFor();
  const session = (await signIn(ann)).cookies;
  assert.equal((await call("GET", "/me", { cookies: session })).status, 200);
  // VT3: once.
  await visit(page, verification);
  await page.getByRole("button").click();
  await page.getByRole("heading", { name: "This link doesn't work" }).waitFor();

  // A refused password spends nothing, and the field says what is wrong with it.
  await call("POST", "/password/reset/request", { body: { email: ann.email } });
  await visit(page, link(await mail(ann.email, "reset")));
  await page.getByLabel("New password").fill("password");
  await page.getByRole("button").click();
  await page.getByRole("alert").filter({ hasText: "easy to guess" }).waitFor();
  assert.equal(await page.getByLabel("New password").getAttribute("aria-invalid"), "true");
  const changed = { ...ann, password: "another willow lantern" };
  await page.getByLabel("New password").fill(changed.password);
  await page.getByRole("button").click();
  await page.getByRole("heading", { name: "Your password is changed" }).waitFor();
  // VT7: nobody stays signed in.
  assert.equal((await call("GET", "/me", { cookies: session })).status, 401);
  assert.deepEqual([(await signIn(ann)).status, (await signIn(changed)).status], [401, 200]);

  // VT9: the new address is confirmed by its own mail; the old one may undo it. The session stays.
  const { cookies } = await signIn(changed);
  const email = person().email;
  assert.equal((await call("POST", "/email/change/request", { body: { email }, cookies })).status, 202);
  const address = async () => (await call("GET", "/me", { cookies })).json.user.email;
  await visit(page, link(await mail(email, "change-email")));
  assert.equal(await address(), ann.email);
  await page.getByRole("button").click();
  await page.getByRole("heading", { name: "Your e-mail address is changed" }).waitFor();
  assert.equal(await address(), email);
  await visit(page, link(await mail(ann.email, "notice", link)));
  assert.equal(await address(), email);
  await page.getByRole("button").click();
  await page.getByRole("heading", { name: "Your e-mail address stays" }).waitFor();
  assert.equal(await address(), ann.email);

  assert.deepEqual(await context.cookies(), []);
  await context.close();
}

/** Opens a page of the server's own, and looks at how it is made. */
async function visit(page, url) {
  const reply = await page.goto(url);
  assert.equal(reply.status(), 200, url);
  const headers = await reply.allHeaders();
  assert.match(headers["content-security-policy"], /default-src 'none'.*frame-ancestors 'none'/);
  assert.deepEqual([headers["cache-control"], headers["x-frame-options"]], ["no-store", "DENY"]);
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  assert.deepEqual([await page.locator("main h1").count(), await page.locator("script").count()], [1, 0]);
  assert.equal(await page.title(), await page.locator("h1").textContent());
}

module.exports = { mailPages };
