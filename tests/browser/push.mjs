// A browser that is notified: the button, the list, the service worker and what it shows.
import assert from "node:assert/strict";
import { join } from "node:path";
import { chromium } from "playwright-core";

export async function push({ browser, page, shoot, args, base, project, executablePath, screenshots }) {
  const { origin } = new URL(base);
  // Chromium would ask Google for an address. All else is its own: the worker, the permission, what is shown.
  await page.addInitScript(({ p256dh, auth }) => {
    const own = (key) => ({
      endpoint: "https://push.example.invalid/one",
      options: { applicationServerKey: Uint8Array.from(key.split(",")).buffer },
      toJSON: () => ({ endpoint: "https://push.example.invalid/one", expirationTime: null, keys: { p256dh, auth } }),
      unsubscribe: async () => localStorage.removeItem("key") ?? true,
    });
    PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
      localStorage.setItem("key", [...applicationServerKey].join());
      return own(localStorage.getItem("key"));
    };
    PushManager.prototype.getSubscription = async () => localStorage.getItem("key") && own(localStorage.getItem("key"));
  }, {
    p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    auth: "BTBZMqHH6r4Tts7J_aSIgg",
  });
  await browser.grantPermissions(["notifications"], { origin });
  const devtools = await browser.newCDPSession(page);
  await page.goto(`${base}/settings/account`);
  await page.getByRole("link", { name: "Choose which" }).click();
  await page.getByRole("button", { name: "Notify this browser" }).waitFor();
  await page.getByText("None yet.").waitFor();
  assert.equal(await page.getByRole("button", { name: "Stop notifying this browser" }).count(), 0);
  await shoot("browsers-empty");

  const registrations = [];
  devtools.on("ServiceWorker.workerRegistrationUpdated", (e) => registrations.push(...e.registrations));
  await devtools.send("ServiceWorker.enable");
  await page.getByRole("button", { name: "Notify this browser" }).click();
  await page.getByText("This browser is notified.").waitFor();
  await page.getByText("this one").waitFor();
  assert.equal(await page.evaluate(() => localStorage.getItem("key").split(",").length), 65, "the server's key is a point");
  const own = registrations.find((one) => !one.isDeleted);
  assert.equal(own.scopeURL, `${base}/push/`, "the worker looks after its own folder alone");

  const issue = `${base}/issues/${project}-1`;
  const told = { title: "New issue · shop", body: "TypeError: x\nshop::pay", url: issue, tag: "topic", at: Date.UTC(2026, 10, 21) };
  const worker = browser.serviceWorkers().find((one) => one.url() === `${base}/push/worker.js`);
  // Who asks what is shown while something is about to be makes Chromium forget it; so the worker says when it is there.
  await worker.evaluate(() => {
    const { prototype } = ServiceWorkerRegistration;
    const show = prototype.showNotification;
    self.times = 0;
    prototype.showNotification = async function (...told) {
      await show.apply(this, told);
      self.times += 1;
    };
  });
  const deliver = async (data) => {
    const before = await worker.evaluate(() => self.times);
    await devtools.send("ServiceWorker.deliverPushMessage", { origin, registrationId: own.registrationId, data });
    const end = Date.now() + 15_000;
    while (await worker.evaluate(() => self.times) === before) {
      assert.ok(Date.now() < end, `nothing is shown for ${data}`);
      await new Promise((done) => setTimeout(done, 50));
    }
    return shown();
  };
  const shown = () => page.evaluate(async (scope) => {
    const registration = await navigator.serviceWorker.getRegistration(scope);
    return (await registration.getNotifications()).map(({ title, body, tag, timestamp, data }) => ({ title, body, tag, timestamp, data }));
  }, own.scopeURL);
  assert.deepEqual(await deliver(JSON.stringify(told)), [{ title: told.title, body: told.body, tag: "topic", timestamp: told.at, data: { url: issue } }]);
  // What is about the same issue takes its place; what is about nothing that is known stands beside it.
  const titles = (notifications) => notifications.map(({ title }) => title).toSorted();
  assert.deepEqual(titles(await deliver(JSON.stringify({ ...told, title: "Regression · shop" }))), ["Regression · shop"]);
  assert.deepEqual(titles(await deliver("no JSON")), ["Regression · shop", "errtrack"]);

  // A click leads to the issue; only a real one may open a window, so the worker is asked what it would open.
  const opened = await worker.evaluate(async () => {
    const opened = [];
    self.clients.openWindow = async (url) => opened.push(url);
    for (const notification of await self.registration.getNotifications()) {
      let done;
      const event = new NotificationEvent("notificationclick", { notification });
      event.waitUntil = (promise) => { done = promise; };
      self.dispatchEvent(event);
      await done;
    }
    return opened;
  });
  assert.deepEqual(opened.toSorted(), [issue, `${base}/`].toSorted());
  assert.deepEqual(await shown(), [], "what was clicked is gone");

  await page.getByRole("button", { name: /Send a test to Chromium/ }).click();
  await page.getByText(/The message for Chromium on Linux was not taken: /).waitFor();
  await shoot("browsers");
  await page.getByRole("button", { name: "Stop notifying this browser" }).click();
  await page.getByText("None yet.").waitFor();
  assert.equal(await page.evaluate(() => localStorage.getItem("key")), null);

  // Without scripts the page says so, and what was added can be removed.
  await page.getByRole("button", { name: "Notify this browser" }).click();
  await page.getByText("this one").waitFor();
  const plain = await chromium.launch({ executablePath, headless: true, args });
  try {
    const context = await plain.newContext({ javaScriptEnabled: false, viewport: { width: 1280, height: 900 } });
    await context.addCookies(await browser.cookies());
    const without = await context.newPage();
    without.setDefaultTimeout(15_000);
    await without.goto(`${base}/settings/browsers`);
    await without.locator("noscript p").waitFor();
    assert.equal(await without.getByRole("button", { name: "Notify this browser" }).count(), 0);
    await without.screenshot({ path: join(screenshots, "browsers-without-scripts.png"), fullPage: true });
    await without.getByRole("button", { name: /Remove Chromium/ }).click();
    await without.getByText("None yet.").waitFor();
  } finally {
    await plain.close();
  }
}
