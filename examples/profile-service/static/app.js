// A page in one piece, which signs up, in and out by requests below /api/auth.
//
// The tokens are this script's alone: no cookie has them, and nothing that outlives the page. Whoever loads it again signs in
// again.
let tokens;

/** Sends a request and returns the reply's JSON; throws its problem (RFC 9457). */
async function send(method, path, body, bearer = tokens?.accessToken) {
  const headers = { "Content-Type": "application/json", ...(bearer && { Authorization: `Bearer ${bearer}` }) };
  const reply = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const text = await reply.text();
  const json = text ? JSON.parse(text) : {};
  if (!reply.ok) throw json;
  return json;
}

/** The same as whoever is signed in: where the access token has expired, with a new one. */
async function sendRenewed(method, path, body) {
  try {
    return await send(method, path, body);
  } catch (problem) {
    if (!tokens || problem.code !== "UNAUTHORIZED") throw problem;
    const { refreshToken } = tokens;
    tokens = undefined;
    tokens = await send("PATCH", "/api/auth/user/refresh", undefined, refreshToken);
    return send(method, path, body);
  }
}

const part = (id) => document.getElementById(id);
const say = (text) => document.querySelector("[role=status]").textContent = text;

/** Shows what guests see, or what whoever is signed in does. */
async function show() {
  part("guest").hidden = Boolean(tokens);
  part("member").hidden = !tokens;
  if (!tokens) {
    part("offer").textContent = (await send("GET", "/api/welcome")).offer;
    return;
  }
  const { user } = await sendRenewed("POST", "/api/auth/user/me");
  part("who").textContent = user.email;
  part("second-step").dataset.sends = user.mfaEnabled ? "POST /disable/mfa" : "POST /enable/mfa";
  part("second-step").querySelector("button").textContent = `Ask me for ${user.mfaEnabled ? "no" : "a"} mailed code at sign-in`;
  const shelf = await sendRenewed("GET", "/api/shelf").catch((problem) => ({ books: [problem.detail ?? problem.title] }));
  part("books").textContent = shelf.books.join(", ");
}

/** What a form is for may take two requests: the first has a code mailed, the second repeats it with the code. */
async function submit(form) {
  const second = form.querySelector("fieldset");
  const { sends, confirms = sends } = form.dataset;
  const [method, path] = (second?.disabled === false ? confirms : sends).split(" ");
  // A field that is left empty isn't meant.
  const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  const reply = await sendRenewed(method, `/api/auth${path}`, { ...fields, ...form.named });
  const { token, tokenId, accessToken, recoveryCodes } = reply;
  if (token || tokenId) {
    // The record that the code belongs to, and of a new account its user.
    form.named = { token, tokenId, userId: reply.user?.id };
    reveal(second, true);
    return say("Type in the code of the mail that is on its way.");
  }
  restart(form);
  form.reset();
  if (accessToken) tokens = reply;
  if (path.startsWith("/user/logout")) tokens = undefined;
  say(recoveryCodes ? `Done. Write down your recovery codes: ${recoveryCodes.join(", ")}` : "Done.");
  await show();
}

/** The next request is the first again. */
function restart(form) {
  form.named = undefined;
  const second = form.querySelector("fieldset");
  if (second) reveal(second, false);
}

/** Fields that are out of use aren't sent. */
function reveal(fieldset, isIn) {
  Object.assign(fieldset, { hidden: !isIn, disabled: !isIn });
  fieldset.querySelector("input").focus();
}

for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await submit(form);
    } catch (problem) {
      say(problem.errors?.map((error) => error.message).join(" ") ?? problem.detail ?? problem.title ?? "Are you online?");
      // What a code was for may be over.
      if (problem.code === "UNAUTHORIZED") restart(form);
      if (!tokens) await show();
    }
  });
}

await show();
