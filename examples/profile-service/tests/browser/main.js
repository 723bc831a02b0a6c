// An account in a page in one piece: each thing that is done by a mailed code.
//
//     node main.js account http://127.0.0.1:PORT MAIL_FOLDER
//
// needs PORTCULLIS_TEST_CHROMIUM (a program) and PORTCULLIS_TEST_PLAYWRIGHT (a module's folder). Ends with 1 where
// something isn't as it should be.
"use strict";

const assert = require("node:assert/strict");
const { open, play, submit } = require("../../../axum-sessions/tests/browser/browser.js");
const { person } = require("../../../axum-sessions/tests/browser/client.js");
const { code, mail } = require("../../../axum-sessions/tests/browser/mail.js");
const { APP } = require("../../../axum-sessions/tests/browser/stage.js");

async function account(browser) {
  const { email, password } = person();
  const address = { "E-mail address": email };
  const context = await open(browser);
  const page = await context.newPage();
  await page.goto(APP);
  await page.getByText("Your first book is on us.").waitFor();

  const used = new Set();
  /** Fills in a form and sends it; then, with the code of the mail that this brings and perhaps more, again. */
  const byCode = async (form, fields, kind, { to = email, more = {} } = {}) => {
    await submit(page, form, fields);
    await page.getByRole("form", { name: form }).getByLabel("Code").waitFor();
    const Code = code(await mail(to, kind, (lines) => !used.has(code(lines))));
    used.add(Code);
    await submit(page, form, { Code, ...more });
  };
  const isMember = (email) => page.locator("#who").filter({ hasText: email }).waitFor();
  const done = () => page.getByRole("status").filter({ hasText: "Done." }).waitFor();

  await byCode("Sign up", { Name: "Ann", ...address, Password: password }, "verify");
  await done();
  await submit(page, "Sign in", { ...address, Password: "not this password" });
  await page.getByText("The credentials are missing or not valid.").waitFor();
  await submit(page, "Sign in", { Password: password });
  await isMember(email);
  await page.getByText("The Portcullis and the Moat").waitFor();

  // Nothing of it is kept where another script, or another visitor of this browser, could find it.
  assert.deepEqual(await context.cookies(), []);
  assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length]), [0, 0]);

  await byCode("Second step", {}, "second-factor");
  await page.getByText("Write down your recovery codes").waitFor();
  const moved = person().email;
  await byCode("Address", { "New e-mail address": moved }, "change-email", { to: moved });
  await isMember(moved);
  const changed = "another willow lantern";
  const newPassword = { to: moved, more: { "New password": changed } };
  await byCode("Password", { "E-mail address": moved }, "reauthenticate", newPassword);
  await done();
  await submit(page, "Sign out here");
  await page.getByText("Your first book is on us.").waitFor();

  // Both steps, in two calls of one form.
  await byCode("Sign in", { "E-mail address": moved, Password: changed }, "second-factor", { to: moved });
  await isMember(moved);
  await submit(page, "Sign out everywhere");
  await byCode("Forgotten password", { "E-mail address": moved }, "reset", { to: moved, more: { "New password": password } });
  await done();
  await byCode("Sign in", { "E-mail address": moved, Password: password }, "second-factor", { to: moved });
  await isMember(moved);

  // Whoever loads the page again signs in again.
  await page.reload();
  await page.getByRole("form", { name: "Sign in" }).waitFor();
  await context.close();
}

play(account).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
