// What a page gains with JavaScript. Everything works without: links, forms and <details> are the browser's own.
const find = (root, what) => [...(root.matches?.(what) ? [root] : []), ...root.querySelectorAll(what)];

// The error summary is read first, whether the page or only its form is new.
function focusErrors(root) {
  find(root, "#error-summary")[0]?.focus();
}

// A field that an error points at may lie in a closed fold.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("#error-summary a[href^='#']");
  const field = link && document.getElementById(link.hash.slice(1));
  if (!field) return;
  event.preventDefault();
  for (let fold = field.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  field.focus({ preventScroll: true });
  (document.querySelector(`label[for="${CSS.escape(field.id)}"]`) ?? field).scrollIntoView({ block: "start" });
});

// Counts while one types; speaks only when one rests, and only near the end.
function countCharacters(root) {
  for (const area of find(root, "textarea[data-limit]")) {
    const note = document.getElementById(`${area.id}-count`);
    const spoken = document.getElementById(`${area.id}-spoken`);
    if (!note || area.dataset.counted) continue;
    area.dataset.counted = "yes";
    const limit = Number(area.dataset.limit);
    let rest;
    const count = () => {
      // As the server counts: characters, not UTF-16 units.
      const left = limit - [...area.value].length;
      const words = (left < 0 ? note.dataset.over : note.dataset.left).replace("{n}", Math.abs(left).toLocaleString("sv"));
      note.textContent = words;
      note.dataset.state = left < 0 ? "over" : "under";
      clearTimeout(rest);
      rest = setTimeout(() => { spoken.textContent = left < limit / 10 ? words : ""; }, 1000);
    };
    area.addEventListener("input", count);
    count();
  }
}

function showPrintButtons(root) {
  for (const button of find(root, "[data-print]")) {
    button.hidden = false;
    button.onclick = () => window.print();
  }
}

function showCopyButtons(root) {
  if (!navigator.clipboard) return;
  for (const button of find(root, "[data-copy]")) {
    const said = document.querySelector(`[data-copied="${CSS.escape(button.dataset.copy)}"]`);
    button.hidden = false;
    button.onclick = async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
      said.textContent = said.dataset.words;
    };
  }
}

// A second press while the first is on its way sends nothing more.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 5000);
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// What one had unfolded stays so when htmx replaces the part it lies in. Kept in memory only.
let unfolded = [];
document.addEventListener("htmx:before:swap", () => {
  unfolded = [...document.querySelectorAll("details[open][id]")].map((fold) => fold.id);
});

function refold() {
  for (const id of unfolded) {
    const fold = document.getElementById(id);
    if (fold?.matches("details")) fold.open = true;
  }
}

function enliven(root) {
  countCharacters(root);
  showPrintButtons(root);
  showCopyButtons(root);
  focusErrors(root);
}

document.addEventListener("htmx:after:swap", () => {
  refold();
  enliven(document);
});
window.addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("details:not(.confirm)")) fold.open = true;
});
enliven(document);
