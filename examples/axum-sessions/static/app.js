// The page of an account: everything it does is a request to Portcullis's profile `sessions`.
//
// The session is a cookie that no script can read; the browser sends it along by itself. What a script adds is the CSRF
// token, which another site's script cannot know.

const AUTH = "/auth";

/** Sends a request, and returns the reply's JSON; throws a problem (RFC 9457). */
async function send(method, path, body) {
  const headers = new Headers();
  if (body) headers.set("Content-Type", "application/json");
  const token = csrfToken();
  if (token) headers.set("X-CSRF-Token", token);
  const reply = await fetch(AUTH + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await reply.text();
  const json = text ? JSON.parse(text) : {};
  if (!reply.ok) throw json;
  return json;
}

/** The session's CSRF token. The server keeps it in a cookie for scripts, so that it is there after a reload too. */
function csrfToken() {
  const cookies = new Map(document.cookie.split("; ").map((cookie) => cookie.split("=", 2)));
  // With the prefix where the site is served over HTTPS.
  return cookies.get("__Host-csrf") ?? cookies.get("csrf");
}

const part = (id) => document.getElementById(id);

/** Shows the one half of the page or the other, and who is signed in. */
async function show() {
  let user = null;
  try {
    ({ user } = await send("GET", "/me"));
  } catch (problem) {
    if (problem.code !== "UNAUTHORIZED") throw problem;
  }
  part("signed-out").hidden = user !== null;
  part("signed-in").hidden = user === null;
  if (user) {
    part("who").textContent = user.name ?? user.email;
    await showSessions();
  }
}

async function showSessions() {
  const { sessions } = await send("GET", "/sessions");
  part("sessions").replaceChildren(...sessions.map(listed));
}

/** A session as an item of the list. */
function listed(session) {
  const item = part("session").content.cloneNode(true);
  const device = session.device ?? "Unknown device";
  item.querySelector(".device").textContent = session.current ? `${device} (this one)` : device;
  const seen = new Date(session.lastSeenAt).toLocaleString();
  item.querySelector("small").textContent = session.ip ? `${session.ip}, ${seen}` : seen;
  const button = item.querySelector("button");
  // Several buttons of one name would be hard to tell apart by ear.
  button.setAttribute("aria-label", `End: ${device}${session.current ? ", this one" : ""}, ${seen}`);
  button.addEventListener("click", () => act(async () => {
    await send("DELETE", `/sessions/${session.id}`);
    await show();
    say("That session has ended.");
    // The button is gone, and the focus with it.
    if (!session.current) part("sessions-title").focus();
  }));
  return item;
}

/** Does something that may fail; says so in `form`, or at the top of the page. */
async function act(what, form) {
  say("");
  if (form) complain(form, "");
  try {
    await what();
  } catch (problem) {
    const messages = problem.errors?.map((error) => error.message) ?? [problem.detail ?? problem.title];
    const text = messages.every(Boolean) ? messages.join("\n") : "That did not work. Are you online?";
    if (form) complain(form, text, problem.errors);
    else say(text);
    // It may have been somebody else's click that ended this session.
    if (problem.code === "UNAUTHORIZED" && !form) await show();
  }
}

/** Puts the mistakes into a form, where screen readers read them out, and marks the fields that they are about. */
function complain(form, text, errors = []) {
  form.querySelector(".error").textContent = text;
  for (const input of form.querySelectorAll("input")) {
    const wrong = errors.some((error) => error.field === input.name);
    if (wrong) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
  form.querySelector("[aria-invalid]")?.focus();
}

function say(text) {
  part("said").textContent = text;
}

/** Calls `submit` with the fields of a form, instead of sending it. */
function onSubmit(id, submit) {
  part(id).addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    act(async () => {
      await submit(Object.fromEntries(new FormData(form)));
      form.reset();
    }, form);
  });
}

function onClick(id, click) {
  part(id).addEventListener("click", () => act(click));
}

onSubmit("sign-up", async ({ name, email, password }) => {
  await send("POST", "/register", { email, password, ...(name && { name }) });
  // The reply is the same for every address: whether this one has an account is for its owner's mailbox alone.
  part("written-to").textContent = email;
  part("confirm").elements.email.value = email;
  part("confirming").hidden = false;
  part("confirm-title").focus();
});

onSubmit("confirm", async ({ email, code }) => {
  await send("POST", "/verify/confirm", { email, code });
  part("confirming").hidden = true;
  say("Your address is confirmed. Please sign in.");
  part("sign-in").elements.email.focus();
});

onSubmit("sign-in", async ({ email, password }) => {
  await send("POST", "/login", { email, password });
  await show();
  part("sessions-title").focus();
});

onClick("sign-out", async () => {
  await send("POST", "/logout");
  await show();
  say("You are signed out.");
});

onClick("sign-out-everywhere", async () => {
  await send("POST", "/logout/all");
  await show();
  say("You are signed out everywhere.");
});

await act(show);
