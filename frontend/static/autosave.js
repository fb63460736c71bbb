// When a form with hx-trigger="autosave" is saved: soon after one pauses, now and then while one goes on writing, and
// when the page is left. A save that did not go through is tried again when one writes on or comes back to the page.
const PAUSE = 2000;
const AT_LEAST = 10000;
const CARRIED = 60000; // what a browser sends on after the page is gone, with some room

function keepSaved(form) {
  let edits = 0, saved = 0, under = -1; // under: the edit whose save is on its way
  let first = 0, timer;
  let sent = false; // the whole form is on its way, which is more than a draft

  function save() {
    clearTimeout(timer);
    first = 0;
    if (edits === saved || edits === under || sent || !form.isConnected) return;
    form.dispatchEvent(new Event("autosave"));
  }

  function wrote() {
    edits += 1;
    first ||= Date.now();
    clearTimeout(timer);
    timer = setTimeout(save, Math.max(0, Math.min(PAUSE, first + AT_LEAST - Date.now())));
  }

  form.addEventListener("input", wrote);
  form.addEventListener("change", wrote);
  form.addEventListener("submit", (event) => { sent = !event.defaultPrevented; });
  form.addEventListener("htmx:config:request", (event) => {
    const { ctx } = event.detail;
    if (event.target !== form) return;
    ctx.edits = under = edits;
    ctx.request.keepalive = new URLSearchParams(ctx.request.body).toString().length < CARRIED;
  });
  form.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    if (event.target === form && ctx.response.status === 200) saved = Math.max(saved, ctx.edits);
  });
  form.addEventListener("htmx:finally:request", (event) => {
    if (event.target === form && event.detail.ctx.edits === under) under = -1;
  });
  document.addEventListener("visibilitychange", save);
  window.addEventListener("pagehide", save);
  window.addEventListener("pageshow", () => { sent = false; });
}

for (const form of document.querySelectorAll("form[hx-trigger=autosave]")) keepSaved(form);
