// Shows what the server tells this browser, and opens the page of it. It serves no page and keeps nothing.
self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("push", (event) => {
  let told;
  try {
    told = event.data?.json();
  } catch {
    // Browsers want something to be shown whatever came.
  }
  const { title = "errtrack", body = "", url, tag = "", at } = told ?? {};
  // What is about the same thing takes the place of what was shown, and is heard again.
  const options = { body, tag, renotify: tag !== "", timestamp: at, data: { url } };
  event.waitUntil(self.registration.showNotification(title, options));
});

async function open(url) {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = pages.find((page) => page.url === url);
  await (there ? there.focus() : self.clients.openWindow(url));
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url } = event.notification.data ?? {};
  event.waitUntil(open(/^https?:/.test(url ?? "") ? url : new URL("../", self.location).href));
});

// The browser has another address from now on. Where nobody is signed in any more, it has to be added anew.
async function renew(event) {
  const own = event.newSubscription ?? await self.registration.pushManager.subscribe(event.oldSubscription.options);
  const headers = { "Content-Type": "application/json" };
  await fetch(new URL("../api/push/subscriptions", self.location), { method: "POST", headers, body: JSON.stringify(own) });
}

self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));
