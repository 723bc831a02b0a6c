// Plays people in a real browser, against the notice board.
//
//     node main.js SCENE http://127.0.0.1:PORT MAIL_FOLDER
//
// needs PORTCULLIS_TEST_CHROMIUM (a program) and PORTCULLIS_TEST_PLAYWRIGHT (a module's folder). Ends with 1 where
// something isn't as it should be.
"use strict";

const { play } = require("../../../axum-sessions/tests/browser/browser.js");
const { SCENE } = require("../../../axum-sessions/tests/browser/stage.js");
const { app, mailedCode } = require("./second_step.js");
const { stepUp } = require("./step_up.js");

play({ app, "mailed-code": mailedCode, "step-up": stepUp }[SCENE]).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
