// Typed search over a long <select data-search>, after the ARIA pattern "editable combobox with list autocomplete".
// The select stays in the form and holds the value; without this file it is used as it is.
const SHOWN = 50;

// "vastra" finds "Västra", and words may come in any order.
const fold = (text) => text.toLocaleLowerCase("sv").normalize("NFD").replace(/\p{M}/gu, "");

function combine(select) {
  const choices = [...select.options].filter((option) => option.value).map((option) => {
    const group = option.parentElement.label ?? "";
    return { option, text: option.text, group, sought: fold(`${option.text} ${group}`) };
  });
  const box = document.createElement("div");
  const input = document.createElement("input");
  const list = document.createElement("div");
  const spoken = document.createElement("span");
  const id = select.id;
  let shown = [];
  let active = -1;

  for (const name of ["aria-describedby", "aria-invalid", "aria-required"]) {
    if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
  }
  // The label and the error summary point at the id, so the visible field takes it over.
  select.id = `${id}-value`;
  select.hidden = true;
  Object.assign(box, { className: "combobox" });
  Object.assign(input, { id, type: "text", className: "ds-input", autocomplete: "off", placeholder: select.dataset.search });
  Object.assign(list, { id: `${id}-list`, className: "combobox-list", hidden: true });
  Object.assign(spoken, { className: "ds-sr-only" });
  const words = document.querySelector(`label[for="${CSS.escape(id)}"]`)?.textContent ?? "";
  const states = { role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" };
  for (const [name, value] of Object.entries(states)) input.setAttribute(name, value);
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", words);
  spoken.setAttribute("aria-live", "polite");
  select.after(box);
  box.append(input, list, spoken);

  const chosen = () => choices.find((choice) => choice.option.selected);
  const settle = () => { input.value = chosen()?.text ?? ""; };

  function close() {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function open(search) {
    const sought = fold(search).split(/\s+/).filter(Boolean);
    shown = choices.filter((choice) => sought.every((word) => choice.sought.includes(word))).slice(0, SHOWN);
    list.replaceChildren(...shown.map((choice, index) => {
      const row = document.createElement("div");
      row.id = `${id}-option-${index}`;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", "false");
      row.append(choice.text);
      if (choice.group) {
        const group = document.createElement("small");
        group.textContent = choice.group;
        row.append(group);
      }
      // Before the field loses focus, which would close the list.
      row.addEventListener("pointerdown", (event) => event.preventDefault());
      row.addEventListener("click", () => choose(index));
      return row;
    }));
    if (!shown.length) {
      const none = document.createElement("div");
      none.className = "combobox-none";
      none.setAttribute("role", "option");
      none.setAttribute("aria-disabled", "true");
      none.textContent = select.dataset.none;
      list.append(none);
    }
    spoken.textContent = shown.length ? select.dataset.found.replace("{n}", shown.length) : select.dataset.none;
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(search && shown.length ? 0 : -1);
  }

  function mark(index) {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = index;
    const row = list.children[active];
    if (!row) return input.removeAttribute("aria-activedescendant");
    row.setAttribute("aria-selected", "true");
    row.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", row.id);
  }

  function choose(index) {
    if (index >= 0) shown[index].option.selected = true;
    else select.value = "";
    settle();
    close();
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }

  input.addEventListener("input", () => open(input.value));
  input.addEventListener("click", () => { if (list.hidden) open(""); });
  input.addEventListener("focus", () => input.select());
  input.addEventListener("blur", () => {
    // An emptied field means no choice; a word that fits only one unit means that one; else the last still stands.
    if (!input.value.trim() && chosen()) choose(-1);
    else if (!list.hidden && input.value && shown.length === 1) choose(0);
    settle();
    close();
  });
  input.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) {
      event.preventDefault();
      if (list.hidden) open("");
      else if (shown.length) mark((active + steps[event.key] + shown.length) % shown.length);
    } else if (event.key === "Enter" && !list.hidden && active >= 0) {
      event.preventDefault();
      choose(active);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      settle();
      close();
    }
  });
  settle();
}

function combineAll() {
  for (const select of document.querySelectorAll("select[data-search]:not([hidden])")) combine(select);
}

document.addEventListener("htmx:after:swap", combineAll);
combineAll();
