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

// What happens meanwhile is said in a line; nothing moves under the reader's hand.
const news = document.querySelector("[data-live]");
if (news && "EventSource" in window) {
  const { live, project, issue } = news.dataset;
  const [line, title] = [news.querySelector("span"), document.title];
  const seen = new Set();
  let last = "";
  let source;

  const say = (text) => {
    line.textContent = text;
    news.hidden = false;
  };
  const heard = (e) => {
    last = e.lastEventId || last;
    return e.data ? JSON.parse(e.data) : {};
  };
  const onList = (e) => {
    const { project: of, tracker_id: number } = heard(e);
    if (project && String(of) !== project) return;
    seen.add(number);
    say(seen.size === 1 ? "One issue is new or came back." : `${seen.size} issues are new or came back.`);
    document.title = `(${seen.size}) ${title}`;
  };
  const onIssue = (text) => (e) => {
    if (String(heard(e).tracker_id) === issue) say(text);
  };

  // Browsers have few connections for a host: a page that nobody looks at needs none.
  const listen = () => {
    if (document.hidden) {
      source?.close();
      source = undefined;
    } else if (!source) {
      source = new EventSource(last ? `${live}?last_event_id=${encodeURIComponent(last)}` : live);
      source.addEventListener("missed", (e) => {
        heard(e);
        // What was missed before the page was made is on it.
        if (performance.now() > 5_000) say("Something may have changed meanwhile.");
      });
      const told = issue
        ? { resolved: "This issue is resolved.", regressed: "This issue came back.",
          edited: "This issue was changed.", deleted: "This issue was deleted." }
        : { new: "", regressed: "" };
      for (const name of ["new", "regressed", "resolved", "edited", "deleted", "counters"]) {
        source.addEventListener(name, name in told ? (issue ? onIssue(told[name]) : onList) : heard);
      }
    }
  };
  document.addEventListener("visibilitychange", listen);
  addEventListener("pagehide", () => source?.close());
  listen();
}
