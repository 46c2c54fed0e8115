// Everything works without this file; it adds copying, keys and times that go on.
"use strict";

for (const button of document.querySelectorAll("[data-copy], [data-dialog]")) {
  // Without the right to the clipboard (plain http) the text is selected instead.
  button.hidden = false;
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const label = button.dataset.label ??= button.textContent;
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
  } catch {
    source.hidden = false;
    getSelection().selectAllChildren(source);
    button.textContent = document.execCommand("copy") ? "Copied" : "Press Ctrl+C";
  }
  setTimeout(() => { button.textContent = label; }, 2000);
}

document.addEventListener("click", (e) => {
  const button = e.target.closest("[data-copy], [data-dialog]");
  if (button?.dataset.copy) copy(button);
  if (button?.dataset.dialog) document.getElementById(button.dataset.dialog).showModal();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(e.target)) menu.open = false;
  }
});

const rows = () => [...document.querySelectorAll(".row")];
const current = () => document.activeElement?.closest(".row");
const tick = (row) => row?.querySelector("[name=id]");
const press = (key) => document.querySelector(`[data-key="${key}"]`)?.click();

function move(by) {
  const all = rows();
  if (!all.length) return press(by > 0 ? "j" : "k");
  const at = all.indexOf(current());
  const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
  next.querySelector("h2 a").focus();
  next.scrollIntoView({ block: "nearest" });
}

// On the list, a key means the ticked issues, and without any the one in focus.
function act(key) {
  const ticked = document.querySelector("#bulk") && document.querySelector(".row :checked");
  const box = tick(current());
  if (document.querySelector("#bulk") && !ticked) {
    if (!box) return;
    box.checked = true;
  }
  press(key);
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  o: () => current()?.querySelector("h2 a").click(),
  x: () => tick(current())?.click(),
  r: () => act("r"),
  m: () => act("m"),
  a: () => press("a"),
  u: () => press("u"),
  "/": () => document.getElementById("q")?.select(),
  "?": () => document.getElementById("keys")?.showModal(),
};

document.addEventListener("keydown", (e) => {
  if (e.key === "Escape") {
    const menu = document.querySelector("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (e.target.matches?.("input, textarea")) {
      e.target.blur();
    }
    return;
  }
  if (e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]")) return;
  if (e.target.matches?.("input:not([type=checkbox]), textarea, select")) return;
  if (Object.hasOwn(keys, e.key)) {
    e.preventDefault();
    keys[e.key]();
  }
});

// The words are those of the server.
const STEPS = [[60, 1, "s"], [3600, 60, "min"], [86400, 3600, "h"], [1209600, 86400, "d"],
  [5184000, 604800, "wk"], [63072000, 2592000, "mo"], [Infinity, 31536000, "y"]];

function ago(then) {
  const seconds = Math.floor(Date.now() / 1000) - Math.floor(then / 1000);
  if (seconds < 45) return "just now";
  const [, unit, name] = STEPS.find(([limit]) => Math.max(seconds, 60) < limit);
  return `${Math.floor(Math.max(seconds, 60) / unit)} ${name} ago`;
}

setInterval(() => {
  if (document.hidden) return;
  for (const time of document.querySelectorAll("time[data-ago]")) time.textContent = ago(Date.parse(time.dateTime));
}, 30_000);
