// Plays people and an attacker in a real browser, against the example application.
//
//     node main.js SCENE http://127.0.0.1:PORT MAIL_FOLDER
//
// needs PORTCULLIS_TEST_CHROMIUM (a program) and PORTCULLIS_TEST_PLAYWRIGHT (a module's folder). Ends with 1 where
// something isn't as it should be.
"use strict";

const { account } = require("./account.js");
const { attacks } = require("./attacks.js");
const { ELSEWHERE, play } = require("./browser.js");
const { mailPages } = require("./mail_pages.js");
const { SCENE } = require("./stage.js");

const SCENES = {
  account,
  "mail-pages": mailPages,
  // Cookies know no ports: they go along from there, and the CSRF token can be read.
  "other-port": (browser) => attacks(browser, "127.0.0.1"),
  "other-site": (browser) => attacks(browser, ELSEWHERE),
};

play(SCENES[SCENE]).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
