// What a scene is told.
"use strict";

const [SCENE, APP, MAILS] = process.argv.slice(2);

module.exports = {
  SCENE,
  /** The example application's origin. */
  APP,
  /** Where Portcullis is in it. */
  AUTH: `${APP}/auth`,
  /** The folder that its mails go to. */
  MAILS,
  /** Longer than anything may take on a busy machine, in milliseconds. */
  PATIENCE: 30_000,
};
