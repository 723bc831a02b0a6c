// Sends the forms that say where to (`data-sends`) as the JSON that Portcullis takes, and goes on to where they say
// (`data-then`): a page, or another form (`#second-step`).
//
// This script needs no token and no challenge: they are in cookies that no script can read, which the browser sends along.

async function send(method, path, body = {}) {
  const headers = { "Content-Type": "application/json" };
  const reply = await fetch(path, { method, headers, body: JSON.stringify(body) });
  if (reply.ok) return;
  const problem = await reply.json();
  throw new Error(problem.errors?.map((error) => error.message).join(" ") ?? problem.detail ?? problem.title);
}

const status = document.querySelector("[role=status]");

for (const form of document.querySelectorAll("[data-sends]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { sends, then, says } = form.dataset;
    try {
      await send(...sends.split(" "), Object.fromEntries(new FormData(form)));
      status.textContent = says ?? "";
      if (!then?.startsWith("#")) return then && location.assign(then);
      const next = document.querySelector(then);
      next.hidden = false;
      next.querySelector("input").focus();
    } catch (error) {
      status.textContent = error.message;
    }
  });
}
