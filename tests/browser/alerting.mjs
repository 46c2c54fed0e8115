// The pages by which people hear of trouble and deal with it: integrations, alert rules, incidents, ownership, monitoring.
// A part of run.mjs.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";

const SECRET = "hunter2-and-some-more";

/** A webhook that notes what it is sent, and says what it is told to. */
async function receiver() {
  const hook = { status: 200, sent: [] };
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const signature = `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
    hook.sent.push({ ...JSON.parse(body), signed: request.headers["x-errtrack-signature"] === signature });
    response.writeHead(hook.status).end("said by the test");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  hook.url = `http://127.0.0.1:${server.address().port}/hook`;
  hook.close = () => { server.close(); server.closeAllConnections(); };
  return hook;
}

/** What somebody who does not see a page, or has no mouse, would miss on it; runs in the page. */
function missing() {
  const found = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const what = (element) => element.outerHTML.slice(0, 120);
  const named = (element) => (element.getAttribute("aria-label") ?? element.textContent).trim() !== "";
  if (document.documentElement.lang !== "en") found.push("no language");
  if (!document.title.endsWith(" · errtrack")) found.push(`title: ${document.title}`);
  const headings = all("main h1, main h2, main h3, main h4").map((heading) => Number(heading.localName[1]));
  if (headings.filter((level) => level === 1).length !== 1) found.push("not one main heading");
  headings.reduce((before, level) => {
    if (level > before + 1) found.push(`a heading of level ${level} after one of ${before}`);
    return level;
  }, 0);
  const ids = all("[id]").map((element) => element.id);
  ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => found.push(`two of ${id}`));
  for (const input of all("input:not([type=hidden]), select, textarea")) {
    if (![...input.labels].some(named) && !input.getAttribute("aria-label")) found.push(`without a label: ${what(input)}`);
  }
  for (const name of ["aria-describedby", "aria-labelledby"]) {
    for (const element of all(`[${name}]`)) {
      element.getAttribute(name).split(" ").filter((id) => !ids.includes(id)).forEach((id) => found.push(`${name} leads to ${id}, which is not there`));
    }
  }
  all("button, a[href], summary, svg[role=img], th").filter((one) => !named(one)).forEach((one) => found.push(`without a name: ${what(one)}`));
  all("table.figures th:not([scope])").forEach((one) => found.push(`of which cells? ${what(one)}`));
  for (const head of all("table.figures thead th")) {
    const range = document.createRange();
    range.selectNodeContents(head);
    const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size;
    if (!head.querySelector(".vh") && lines > head.textContent.trim().split(/\s+/).length) found.push(`broken within a word: ${head.textContent}`);
  }
  all("[aria-invalid=true]:not([aria-describedby])").forEach((one) => found.push(`wrong, but why? ${what(one)}`));
  return found;
}

/** Asks until it is so; a page is loaded anew each time. */
async function until(what, isSo, seconds = 60) {
  const end = Date.now() + seconds * 1_000;
  while (!(await isSo())) {
    assert.ok(Date.now() < end, `waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

export async function alerting({ page, shoot: screenshots, expected, base, project, email }) {
  const hook = await receiver();
  const main = page.locator("main");
  const shoot = async (name) => {
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      assert.deepEqual(await page.evaluate(missing), [], `${name} at ${width} px`);
    }
    await screenshots(name);
  };
  const menu = (name) => page.getByRole("navigation", { name: "Main" }).getByRole("link", { name, exact: true }).click();
  const settings = async (name) => {
    await menu("Settings");
    await page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name }).click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
  };
  const focused = () => page.evaluate(() => document.activeElement.id);

  // A channel, by keys alone; a mistake loses nothing of what was typed but the secret.
  await settings("Integrations");
  // Members' browsers need no setting up.
  await main.getByText("Browsers of members").waitFor();
  const webhook = main.locator("details.frame", { has: page.locator("summary", { hasText: /^Webhook$/ }) });
  await webhook.locator("summary").focus();
  await page.keyboard.press("Enter");
  await webhook.getByLabel("Name").fill("hook");
  await webhook.getByLabel("URL").fill("nowhere");
  await webhook.getByLabel(/^Secret/).fill(SECRET);
  expected.add(400);
  await webhook.getByLabel("URL").press("Enter");
  assert.match(await page.getByRole("alert").innerText(), /url/i);
  assert.equal(await webhook.getByLabel("Name").inputValue(), "hook");
  assert.equal(await webhook.getByLabel("URL").inputValue(), "nowhere");
  assert.ok(!(await page.content()).includes(SECRET), "a secret is not shown again");
  await shoot("integrations-wrong");
  await webhook.getByLabel("URL").fill(hook.url);
  await webhook.getByLabel(/^Secret/).fill(SECRET);
  await webhook.getByLabel("URL").press("Enter");
  await main.getByText("Change hook").waitFor();
  assert.ok(!(await page.content()).includes(SECRET), "a secret is not shown again");
  await main.getByText("Change hook").click();
  const secret = main.locator("details.frame", { hasText: "Change hook" }).getByLabel(/^Secret/);
  assert.deepEqual([await secret.inputValue(), await secret.getAttribute("type")], ["", "password"]);
  assert.match(await secret.getAttribute("placeholder"), /^\*{4}/);
  await page.getByRole("button", { name: "Send a test by hook" }).press("Enter");
  assert.equal(await page.getByRole("status").innerText(), "The test of hook arrived.");
  assert.deepEqual(hook.sent.map((told) => [told.notification.trigger, told.signed]), [["test", true]]);
  await shoot("integrations");

  // A rule, whose condition has a mistake at first: it is told beside the field, with its place.
  hook.status = 400;
  await menu("Alerts");
  await page.getByText("No rules yet").waitFor();
  await page.getByRole("link", { name: "New rule" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Too much");
  const condition = page.getByLabel("Condition", { exact: true });
  await condition.fill("error_count >> 0 in 1d");
  await page.getByLabel("Tells these channels").fill("hook");
  await page.getByRole("button", { name: "Make it" }).press("Enter");
  const problem = page.locator("#problem-condition");
  assert.match(await problem.innerText(), /^Column 14: expected/);
  assert.equal(await problem.getAttribute("role"), "alert");
  assert.deepEqual([await condition.getAttribute("aria-invalid"), await condition.getAttribute("aria-describedby")], ["true", "problem-condition"]);
  const places = await Promise.all([condition, problem].map(async (one) => (await one.boundingBox()).y));
  assert.ok(places[1] - places[0] > 0 && places[1] - places[0] < 80, `it stands right below the field: ${places}`);
  const typed = ["Name", "Condition", "Tells these channels"].map((name) => page.getByLabel(name, { exact: true }).inputValue());
  assert.deepEqual(await Promise.all(typed), ["Too much", "error_count >> 0 in 1d", "hook"]);
  await shoot("alert-wrong");

  // Tried without being kept, also by Enter in a field.
  await condition.fill("error_count > 0 in 1d");
  await condition.press("Enter");
  await page.getByRole("heading", { name: "What it would have said" }).waitFor();
  assert.match(await page.locator("#trial").innerText(), /It would have fired/);
  assert.equal(await problem.count(), 0);
  await shoot("alert-tried");
  await menu("Alerts");
  await page.getByText("No rules yet").waitFor();
  await page.getByRole("link", { name: "New rule" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Too much");
  await condition.fill("error_count > 0 in 1d");
  await page.getByLabel("Tells these channels").fill("hook");
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByText("It holds from now on").waitFor();
  const rule = page.url().split("?")[0];
  const said = page.getByRole("region", { name: "What it said" });
  await until("it fires, and its channel refuses", async () => {
    await page.goto(rule);
    return /Condition met[^]*hook\s+(?:failed|did not arrive|given up)/i.test(await said.innerText());
  });
  assert.match(await said.innerText(), /answered 400: said by the test/);
  await shoot("alert");
  await menu("Alerts");
  await page.getByRole("cell", { name: "firing" }).waitFor();
  await page.getByRole("heading", { name: "What was told" }).waitFor();
  await shoot("alerts");

  // What did not arrive stands on its page, and is sent when somebody says so.
  await settings("Integrations");
  const lost = page.getByRole("region", { name: "What did not arrive" });
  assert.match(await lost.innerText(), /Too much[^]*hook[^]*answered 400: said by the test/);
  await shoot("integrations-lost");
  hook.status = 200;
  const before = hook.sent.length;
  const loaded = page.waitForEvent("load");
  await lost.getByRole("button", { name: /^Try again/ }).press("Enter");
  await loaded;
  await until("it has arrived", () => hook.sent.length > before);
  const told = hook.sent.at(-1);
  assert.deepEqual([told.notification.trigger, told.notification.rule.name, told.signed], ["rule", "Too much", true]);
  await until("nothing is lost any more", async () => {
    await page.reload();
    return /Nothing was given up/.test(await lost.innerText());
  });

  // An incident from its beginning to its end.
  await menu("Incidents");
  await page.getByText("Nothing is wrong that anybody has said").waitFor();
  await page.getByLabel("What is wrong").focus();
  await page.keyboard.type("Checkout is slow");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "severity");
  await page.keyboard.type("High");
  await page.getByLabel("What is wrong").press("Enter");
  await page.getByRole("heading", { level: 1, name: "Checkout is slow" }).waitFor();
  const incident = page.url();
  assert.match(incident, /\/incidents\/[0-9a-f-]{36}$/);
  const head = page.locator("header.title");
  assert.match(await head.innerText(), /High\s+Investigating/);
  const timeline = page.getByRole("region", { name: "Timeline" });
  await page.getByLabel("Add a comment").fill("The <b>pool</b> is empty");
  await page.getByRole("button", { name: "Comment", exact: true }).press("Enter");
  await timeline.getByText("The <b>pool</b> is empty").waitFor();
  const linked = page.getByRole("region", { name: "Linked issues" });
  await page.getByLabel("Issue to link").fill(`${project}-1`);
  await page.getByLabel("Issue to link").press("Enter");
  await linked.getByRole("button", { name: `Take the link to ${project}-1 away` }).waitFor();
  await page.getByRole("button", { name: "Assign to me" }).click();
  await head.getByText("assigned to").waitFor();
  await shoot("incident");
  await linked.getByRole("link", { name: `${project}-1` }).click();
  await page.getByText("Part of the incident").waitFor();
  await page.goto(incident);
  await page.getByLabel("Status", { exact: true }).selectOption("resolved");
  await page.getByLabel("What is said about it").fill("More connections");
  await page.getByRole("button", { name: "Update", exact: true }).press("Enter");
  await head.getByText("Resolved").waitFor();
  assert.match(await timeline.innerText(), /from investigating to resolved[^]*More connections/);
  await shoot("incident-resolved");
  await page.locator("body").press("u");
  await page.waitForURL(`${base}/incidents`);
  await page.getByRole("region", { name: "Resolved" }).getByRole("link", { name: "Checkout is slow" }).waitFor();
  await shoot("incidents");

  // Who looks after what: a wrong line is named, and nothing of the others is lost.
  await settings(/^Ownership/);
  const lines = page.getByLabel("Rules, one a line");
  const text = `type:OrderError* → ${email}\npath:src/* → nobody@example.com`;
  await lines.fill(text);
  await page.getByRole("button", { name: "Save" }).press("Enter");
  assert.match(await page.getByRole("alert").innerText(), /line 2[^]*nobody@example\.com/i);
  assert.equal(await page.locator(".wrong [aria-current=true]").innerText(), "path:src/* → nobody@example.com");
  assert.deepEqual([await lines.inputValue(), await lines.getAttribute("aria-describedby")], [text, "problem"]);
  await shoot("ownership-wrong");
  await lines.fill(`type:OrderError* → ${email}`);
  await page.getByRole("button", { name: "Save" }).press("Enter");
  await page.getByText("It holds from now on").waitFor();
  await shoot("ownership");
  await page.goto(`${base}/issues?q=OrderError`);
  await page.locator(".row h2 a").first().click();
  await page.getByText("Owned by").waitFor();
  assert.match(await main.innerText(), new RegExp(`Owned by\\s*${email}`));

  // What is watched, with its history.
  await menu("Monitoring");
  const services = page.getByRole("region", { name: "Services" });
  await until("everything has been looked at", async () => {
    await page.reload();
    const rows = await services.getByRole("row").allInnerTexts();
    const known = (name) => rows.some((row) => row.startsWith(name) && (row.match(/100\.00 %/g) ?? []).length === 3);
    return ["Database", "Cache Service", "Queue"].every(known);
  });
  await page.getByRole("region", { name: /^Incidents/ }).getByRole("link", { name: "Checkout is slow" }).waitFor();
  await shoot("monitoring");
  hook.close();
}
