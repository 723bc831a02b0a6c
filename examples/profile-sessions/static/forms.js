// Sends the forms that say where to (`data-sends`) as the JSON that Portcullis takes, and goes on to where they say
// (`data-then`): a page, or another form (`#app-code`). The session itself is a cookie that no script can read.

const csrf = () => /(?:^|; )(?:__Host-)?csrf=([^;]*)/.exec(document.cookie)?.[1];

/** Sends a form and returns the reply's JSON; throws its problem (RFC 9457). */
async function send(form) {
  const [method, path] = form.dataset.sends.split(" ");
  const headers = { "Content-Type": "application/json", ...(csrf() && { "X-CSRF-Token": csrf() }) };
  const reply = await fetch(path, { method, headers, body: JSON.stringify(Object.fromEntries(new FormData(form))) });
  const text = await reply.text();
  const json = text ? JSON.parse(text) : {};
  if (!reply.ok) throw json;
  return json;
}

function goOn({ then, says }, reply) {
  say(says ?? "Done.");
  if (reply.mfaRequired) {
    // The password was right, and a second factor is on.
    say(reply.methods[0] === "email" ? "We have mailed you a code." : "What does your authenticator app show?");
    return reveal("#second-step").elements.challenge.value = reply.challenge;
  }
  if (reply.qrSvg) {
    document.querySelector("#picture").innerHTML = reply.qrSvg;
    document.querySelector("#secret").textContent = reply.secret;
  }
  if (reply.recoveryCodes) say(`Done. Without your phone or mail, each of these does once: ${reply.recoveryCodes.join(" ")}`);
  if (then?.startsWith("#")) reveal(then);
  else if (then) location.assign(then);
}

const say = (text) => document.querySelector("[role=status]").textContent = text;

function reveal(selector) {
  const form = document.querySelector(selector);
  form.hidden = false;
  form.querySelector("input:not([type=hidden])").focus();
  return form;
}

for (const form of document.querySelectorAll("[data-sends]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      goOn(form.dataset, await send(form));
    } catch (problem) {
      say(problem.errors?.map((error) => error.message).join(" ") ?? problem.detail ?? problem.title ?? "Are you online?");
      // It is too long ago that they proved who they are.
      if (problem.code === "REAUTHENTICATION_REQUIRED") reveal("#again");
    }
  });
}

// Sent here by the board, for the same reason.
if (location.hash === "#again") reveal("#again");
