// Plays people and an attacker in a real browser, against the intranet.
//
//     node main.js SCENE http://127.0.0.1:PORT MAIL_FOLDER
//
// needs PORTCULLIS_TEST_CHROMIUM (a program) and PORTCULLIS_TEST_PLAYWRIGHT (a module's folder). Ends with 1 where
// something isn't as it should be.
"use strict";

const { ELSEWHERE, play } = require("../../../axum-sessions/tests/browser/browser.js");
const { SCENE } = require("../../../axum-sessions/tests/browser/stage.js");
const { attacks } = require("./attacks.js");
const { bothSteps } = require("./both_steps.js");

const SCENES = {
  "both-steps": bothSteps,
  // Cookies know no ports: they go along from there.
  "other-port": (browser) => attacks(browser, "127.0.0.1"),
  "other-site": (browser) => attacks(browser, ELSEWHERE),
};

play(SCENES[SCENE]).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
