// Keys for the one who goes through many cases. They never act while somebody writes, and can be turned off in the
// box that `?` shows (WCAG 2.1.4); the choice is kept in this browser.
const box = document.getElementById("keys");
const OFF = "samsvar-keys-off";
const on = () => !localStorage.getItem(OFF);
let waiting = 0; // when g was pressed

const GO = { s: "/", i: "/inbox", a: "/deviations" };
const rows = () => [...document.querySelectorAll(".case-link")];

function step(by) {
  const links = rows();
  const row = document.activeElement?.closest(".case");
  const at = row ? links.indexOf(row.querySelector(".case-link")) : by > 0 ? -1 : links.length;
  links[Math.min(Math.max(at + by, 0), links.length - 1)]?.focus();
}

function tick() {
  document.activeElement?.closest(".case")?.querySelector(".case-pick input")?.click();
}

const ACT = {
  j: () => step(1),
  k: () => step(-1),
  x: tick,
  "/": () => document.querySelector("main input[type=search], #find")?.focus(),
  "?": () => box.showModal(),
};

// Somewhere one writes or chooses with letters of one's own. A box to tick takes no letters.
const writes = (target) =>
  target.isContentEditable || target.matches?.("textarea, select, input:not([type=checkbox], [type=radio], [type=submit])");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  if (!on() || writes(event.target) || document.querySelector("dialog[open]")) return;
  const going = Date.now() - waiting < 1500 && GO[event.key];
  waiting = event.key === "g" ? Date.now() : 0;
  if (going) location.assign(going);
  else if (Object.hasOwn(ACT, event.key)) ACT[event.key]();
  else return;
  event.preventDefault();
});

if (box) {
  for (const button of document.querySelectorAll("[data-keys]")) {
    button.hidden = false;
    button.addEventListener("click", () => box.showModal());
  }
  const choice = box.querySelector("[data-keys-switch]");
  choice.checked = on();
  choice.addEventListener("change", () => {
    if (choice.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
  });
}
