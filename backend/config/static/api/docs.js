// The page is public and empty. What it shows, it asks for with the access token of whoever is signed in to the product
// in this browser: the refresh cookie is traded for one, which lives in this script's memory only.
"use strict";
{
  const MARGIN_MS = 30_000;
  const place = document.getElementById("docs");
  let session = null; // {access, expires in ms}, or null where nobody is signed in
  let asking = null;

  async function refresh() {
    const answer = await fetch("/api/auth/refresh", { method: "POST" });
    session = answer.ok ? await answer.json() : null;
  }

  /** `Authorization` for a request now, or {} for nobody. Requests that come together share one refresh. */
  async function credentials() {
    if (session === null || session.expires - Date.now() < MARGIN_MS) {
      asking ??= refresh().finally(() => { asking = null; });
      await asking;
    }
    return session === null ? {} : { Authorization: `Bearer ${session.access}` };
  }

  function say(text, link) {
    const note = document.createElement("p");
    note.className = "note";
    note.append(text);
    if (link) {
      const anchor = document.createElement("a");
      anchor.href = document.body.dataset.product;
      anchor.textContent = link;
      note.append(" ", anchor);
    }
    place.replaceChildren(note);
  }

  function show(spec) {
    place.replaceChildren();
    SwaggerUIBundle({
      spec,
      domNode: place,
      presets: [SwaggerUIBundle.presets.apis],
      layout: "BaseLayout",
      deepLinking: true,
      docExpansion: "none",
      defaultModelsExpandDepth: 0,
      // Only this server ever gets the token, and what somebody typed under "Authorize" goes before it.
      requestInterceptor: async (request) => {
        const own = new URL(request.url, location.href).origin === location.origin;
        if (own && !request.headers.Authorization) Object.assign(request.headers, await credentials());
        return request;
      },
    });
  }

  async function start() {
    const headers = { Accept: "application/json", ...(await credentials()) };
    const answer = await fetch("/api/schema", { headers });
    if (answer.ok) show(await answer.json());
    else if (answer.status === 401) say("The description is for developers. Sign in to the product in this browser, then load this page again.", "Sign in");
    else if (answer.status === 403) say("The description is for developers and platform admins, and your account is neither. Ask a platform admin for the developer role.");
    else say(`The server answered ${answer.status}. Load the page again in a moment.`);
  }

  start().catch(() => say("The server cannot be reached. Load the page again in a moment."));
}
