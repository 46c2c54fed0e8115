// Lets this browser be notified: asks it for an address that messages can be sent to, and tells the server.
const root = document.getElementById("push");
const [says, on, off] = ["push-says", "push-on", "push-off"].map((id) => document.getElementById(id));
const { worker, api, key } = root.dataset;
// The worker needs no page: it is asked to look after its own folder alone.
const scope = new URL(".", new URL(worker, location.href)).pathname;

function say(text) {
  says.textContent = text;
  says.hidden = false;
}

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const same = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);

async function hash(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function subscription() {
  const registration = await navigator.serviceWorker.getRegistration(scope);
  // It may be the host's, which looks after all of its pages.
  const isOurs = registration && new URL(registration.scope).pathname === scope;
  return isOurs ? registration.pushManager.getSubscription() : null;
}

/** The line of this browser in the list, if it is there. */
async function ownLine() {
  const own = await subscription();
  return own && document.querySelector(`[data-browser="${await hash(own.endpoint)}"]`);
}

async function show() {
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) {
    say("This browser cannot be notified.");
    return;
  }
  const line = await ownLine();
  if (line) {
    line.querySelector("[data-this]").hidden = false;
    say("This browser is notified.");
  } else if (Notification.permission === "denied") {
    say("This browser was told not to show notifications of this site. Its settings can change that.");
  }
  on.hidden = Boolean(line);
  off.hidden = !line;
}

/** A registration whose worker runs. */
async function active(registration) {
  const coming = registration.installing ?? registration.waiting;
  if (coming && !registration.active) {
    await new Promise((done) => coming.addEventListener("statechange", () => coming.state === "activated" && done()));
  }
  return registration;
}

async function turnOn() {
  if (await Notification.requestPermission() !== "granted") {
    say("This browser did not allow notifications of this site. Its settings can change that.");
    return;
  }
  const { pushManager } = await active(await navigator.serviceWorker.register(worker, { scope }));
  const wanted = bytes(key);
  // One that was made for another server gets nothing from this one.
  const before = await pushManager.getSubscription();
  const made = before?.options.applicationServerKey;
  if (made && !same(new Uint8Array(made), wanted)) await before.unsubscribe();
  const own = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: wanted });
  const answer = await fetch(api, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(own) });
  if (answer.ok) {
    location.assign(location.pathname);
    return;
  }
  await own.unsubscribe();
  const { error } = await answer.json().catch(() => ({}));
  say(`It was not kept: ${error ?? answer.status}`);
}

async function turnOff() {
  const line = await ownLine();
  const own = await subscription();
  if (line) await fetch(`${api}/${line.dataset.id}`, { method: "DELETE" });
  await own?.unsubscribe();
  location.assign(location.pathname);
}

/** Does it once at a time, and says what went wrong. */
const press = (what) => async () => {
  for (const button of root.querySelectorAll("button")) button.disabled = true;
  try {
    await what();
  } catch (error) {
    say(`The browser says: ${error.message}`);
  } finally {
    for (const button of root.querySelectorAll("button")) button.disabled = false;
  }
};

on.querySelector("button").addEventListener("click", press(turnOn));
off.querySelector("button").addEventListener("click", press(turnOff));
press(show)();
