// One part of the journey through the dashboard; started by tests/tests/browser.rs, which serves what it looks at.
//
//   node run.mjs empty    sign-in, and the page of a project without events
//   node run.mjs full     the list and an issue, by mouse and by keys
//   node run.mjs alerting channels, alert rules, incidents, ownership, monitoring
//   node run.mjs push     a browser that is notified
//
// Ends with an error if a page logs an error, breaks the content security policy, asks for anything from elsewhere, or is
// wider than its window.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { alerting } from "./alerting.mjs";
import { push } from "./push.mjs";

const { BASE, EMAIL, PASSWORD, PROJECT, CHROMIUM, SCREENSHOTS } = process.env;
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--hide-scrollbars"];

const profile = await mkdtemp(join(tmpdir(), "errtrack-browser-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: CHROMIUM, headless: true, args, colorScheme: "light", reducedMotion: "reduce", viewport: { width: 1280, height: 900 },
  permissions: ["clipboard-read", "clipboard-write"],
});
browser.setDefaultTimeout(15_000);

/** What pages complain about. */
const complaints = [];
/** Answers that are errors on purpose. */
const expected = new Set();

function watch(page) {
  page.on("console", (m) => {
    const wanted = [...expected].some((status) => m.text().includes(`status of ${status}`));
    if (["error", "warning"].includes(m.type()) && !wanted) complaints.push(`${m.type()}: ${m.text()}`);
  });
  page.on("pageerror", (e) => complaints.push(`script: ${e.message}`));
  page.on("request", (r) => r.url().startsWith(BASE) || r.url().startsWith("data:") || complaints.push(`asks for ${r.url()}`));
  return page;
}

const page = watch(browser.pages()[0] ?? await browser.newPage());

/** Screenshots in both themes and two widths; no page may be wider than its window. */
async function shoot(name) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 360]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: width === 360 ? 760 : 900 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${name} is ${wide} px too wide at ${width} px`);
      await page.screenshot({ path: join(SCREENSHOTS, `${name}-${colorScheme}-${width}.png`), fullPage: true });
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 900 });
}

async function signIn() {
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${BASE}/issues**`);
}

const titles = () => page.locator(".row h2").allInnerTexts();

/** The settings begin with the rules. */
async function toRules() {
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Settings" }).click();
}

async function toSystem() {
  await toRules();
  await page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name: "System" }).click();
}

const parts = {
  async empty() {
    await page.goto(`${BASE}/issues?q=is:unresolved`);
    assert.equal(page.url(), `${BASE}/login?next=/issues%3Fq%3Dis:unresolved`, "the way back is remembered");
    await shoot("login");
    expected.add(401);
    await page.getByLabel("E-mail").fill(EMAIL);
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    assert.match(await page.getByRole("alert").innerText(), /do not match/);
    assert.equal(await page.getByLabel("E-mail").inputValue(), EMAIL, "the address is kept");
    await signIn();
    assert.equal(page.url(), `${BASE}/issues?q=is:unresolved`);
    await page.getByRole("heading", { name: "Nothing has gone wrong yet" }).waitFor();
    const dsn = (await page.locator("#dsn").innerText()).replace(/\/\/[0-9a-f]{32}@/, "//");
    assert.equal(dsn, `${BASE}/1`, "the address of a project, with its key");
    await page.locator("[data-copy=dsn]").click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await page.locator("#dsn").innerText());
    await shoot("start");
    await toSystem();
    await page.getByText("Nothing has been captured or received yet").waitFor();
    await page.getByText("None. What the database refuses is kept here").waitFor();
    await shoot("system-empty");
  },

  async full() {
    await page.goto(BASE);
    await signIn();
    await page.goto(BASE);
    assert.equal(page.url(), `${BASE}/issues`);
    const open = await titles();
    assert.equal(open.length, 9, open.join("\n"));
    assert.ok(open.some((t) => t.includes("<script>alert(document.cookie)</script>") && t.includes("\\u{202E}")), "hostile text is text");
    await shoot("issues");

    // By keys: down, up, open; then back.
    for (const key of ["j", "j", "k"]) await page.keyboard.press(key);
    assert.equal(await page.evaluate(() => [...document.querySelectorAll(".row")].indexOf(document.activeElement.closest(".row"))), 0);
    await page.keyboard.press("x");
    assert.equal(await page.locator(".row :checked").count(), 1);
    await page.getByRole("button", { name: "Resolve" }).waitFor();
    await page.keyboard.press("x");
    await page.keyboard.press("?");
    await page.getByRole("heading", { name: "Keyboard shortcuts" }).waitFor();
    await page.screenshot({ path: join(SCREENSHOTS, "keys.png") });
    await page.keyboard.press("Escape");
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.id), "q");
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("o");
    await page.waitForURL(`${BASE}/issues/${PROJECT}-*`);
    await page.keyboard.press("u");
    await page.waitForURL(`${BASE}/issues`);

    // Two of them are one: ticked, merged, read why, and taken apart again.
    const rows = page.locator(".row");
    const pair = [rows.nth(2), rows.nth(4)];
    const names = await Promise.all(pair.map((row) => row.locator(".meta .id").innerText()));
    const events = (await Promise.all(pair.map((row) => row.locator("[data-unit=events]").innerText()))).map((t) => Number(t.replaceAll(",", "")));
    for (const row of pair) await row.getByRole("checkbox").check();
    await page.screenshot({ path: join(SCREENSHOTS, "ticked.png") });
    await page.getByRole("button", { name: "Merge", exact: true }).click();
    await page.waitForURL(new RegExp(`/issues/${PROJECT}-\\d+#why$`));
    const why = page.locator("#why");
    await why.getByText("merged of 2 groups").waitFor();
    const groups = await why.locator(".groups h3 .id").allInnerTexts();
    assert.deepEqual(groups.toSorted(), names.toSorted());
    assert.equal(new URL(page.url()).pathname.split("/").at(-1), groups[0], "the oldest gives the name");
    const parts = (await why.locator(".groups dd.num").allInnerTexts()).filter((_, at) => at % 2 === 0).map((t) => Number(t.replaceAll(",", "")));
    assert.deepEqual(parts.toSorted(), events.toSorted(), "each counts for itself");
    await why.getByText("What is compared").first().click();
    assert.match(await why.locator(".groups li").first().innerText(), /Fingerprint\s+[0-9a-f]{32}/);
    await shoot("merged");
    const survivor = page.url();
    await page.goto(`${BASE}/issues/${groups[1]}`);
    assert.equal(page.url(), survivor.split("#")[0], "a link to what was merged leads to the issue");
    await page.goto(`${BASE}/issues`);
    assert.equal((await titles()).length, 8);
    await page.goto(survivor);
    await why.getByRole("button", { name: `Unmerge ${groups[1]}` }).click();
    await page.waitForFunction(() => !document.querySelector("#why .groups"));
    assert.equal(page.url(), survivor);
    await why.getByText("Version of the formula").waitFor();
    assert.equal(await why.getByRole("button", { name: /Unmerge/ }).count(), 0);
    await page.goto(`${BASE}/issues`);
    assert.deepEqual(await titles(), open, "each is there again");

    // What does not parse says so, and loses nothing.
    await page.getByText("What to search for").click();
    await page.screenshot({ path: join(SCREENSHOTS, "terms.png") });
    await page.keyboard.press("Escape");
    await page.getByRole("searchbox").fill("is:opne level:error");
    await page.keyboard.press("Enter");
    assert.match(await page.getByRole("alert").innerText(), /is:opne is no status/);
    await page.screenshot({ path: join(SCREENSHOTS, "misunderstood.png") });
    assert.equal(await page.getByRole("searchbox").inputValue(), "is:opne level:error");
    await page.getByRole("searchbox").fill("is:unresolved OrderError");
    await page.keyboard.press("Enter");
    await page.waitForURL(/OrderError/);
    await page.locator(".row").waitFor();
    const [title] = await titles();

    // Read the stack.
    await page.locator(".row h2 a").first().click();
    await page.getByRole("heading", { name: "Stack trace" }).waitFor();
    assert.match(await page.locator(".src .hit").first().innerText(), /map_err\(OrderError::Payment\)|self\.pool\.begin\(\)/);
    assert.ok(await page.locator(".frame.sys").count() > 0, "frames of libraries are folded");
    await shoot("issue");
    await page.getByRole("link", { name: "Raw" }).click();
    assert.match(await page.locator("#raw-stack").innerText(), /Caused by: /);
    await page.getByRole("link", { name: "All frames" }).click();
    assert.ok(await page.getByText("axum::handler::Handler::call").first().isVisible());
    await page.getByRole("link", { name: "Previous event" }).click();
    await page.waitForURL(/event=.*stack=full/);
    await page.getByRole("button", { name: "Copy as Markdown" }).click();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), new RegExp(`^# ${PROJECT}-\\d+: `));

    // Pin the event that is shown; it stays shown, and can be let go again.
    const shown = new URL(page.url()).searchParams.get("event");
    await page.getByRole("button", { name: "Pin", exact: true }).click();
    await page.getByRole("button", { name: "Unpin" }).waitFor();
    assert.equal(new URL(page.url()).searchParams.get("event"), shown);
    assert.ok(await page.locator(".nav .badge").getByText("Pinned").isVisible());
    await page.screenshot({ path: join(SCREENSHOTS, "pinned.png") });
    await page.getByRole("button", { name: "Unpin" }).click();
    await page.getByRole("button", { name: "Pin", exact: true }).waitFor();

    // Resolve it: gone from the open ones, there among the resolved.
    await page.getByRole("button", { name: "Assign to me" }).click();
    await page.getByRole("button", { name: "Unassign" }).waitFor();
    await page.getByRole("button", { name: "Resolve" }).click();
    await page.getByRole("button", { name: "Reopen" }).waitFor();
    await page.goto(`${BASE}/issues`);
    assert.ok(!(await titles()).includes(title), "resolved issues are gone from the open ones");
    await page.getByRole("link", { name: /^Resolved/ }).click();
    assert.deepEqual(await titles(), [title]);

    // Several at once, by keys.
    await page.goto(`${BASE}/issues`);
    for (const key of ["j", "x", "j", "x", "m"]) await page.keyboard.press(key);
    await page.waitForFunction(() => document.querySelectorAll(".row").length === 6);
    await page.goto(`${BASE}/issues?q=nothing-like-this`);
    await page.getByText("No issue matches").waitFor();
    await shoot("no-match");

    // Where every event went: a sum that is right. What would go now, and letting it go.
    await toSystem();
    await page.locator(".balance").waitFor();
    const figures = (await page.locator(".balance dd").allInnerTexts()).map((t) => Number(t.split("\n")[0].replaceAll(",", "")));
    assert.ok(figures[0] > 0);
    assert.equal(figures[0], figures.slice(1).reduce((a, b) => a + b), "captured is the sum of the others");
    assert.equal(await page.locator("#balance .badge").first().innerText(), "adds up");
    await page.getByRole("button", { name: "What would go now?" }).click();
    await page.getByRole("columnheader", { name: "Would go now" }).waitFor();
    await shoot("system");
    await page.getByRole("button", { name: "Run now" }).click();
    await page.getByText(/last run just now/).waitFor();

    // Rules: written, tried, saved; then they hold, and an issue says which one decided.
    const sendTest = async () => {
      await page.locator(".top nav").getByRole("link", { name: "Connect" }).click();
      await page.getByRole("button", { name: "Send a test event" }).click();
      await page.waitForURL(/\/issues\?q=/);
      return (await titles()).filter((t) => t.includes("TestEvent")).length;
    };
    assert.equal(await sendTest(), 1);
    await toRules();
    await page.getByText("No rules: every event is kept").waitFor();
    await page.getByRole("button", { name: "Add a rule" }).click();
    await page.getByLabel("Name of rule 1").fill("tests");
    const pattern = page.getByLabel("Pattern of condition 1 of rule 1");
    await pattern.fill("re:(");
    expected.add(400);
    await pattern.press("Enter");
    assert.match(await page.getByRole("alert").innerText(), /The type is no regular expression: unclosed group/);
    await page.screenshot({ path: join(SCREENSHOTS, "rules-wrong.png"), fullPage: true });
    await pattern.fill("TestEvent");
    await page.getByRole("button", { name: "What would they do?" }).click();
    await page.getByRole("heading", { name: "1 event would be ignored" }).waitFor();
    await page.getByLabel("What condition 2 of rule 1 compares").selectOption("tag");
    await page.getByLabel("Name of the tag of condition 2 of rule 1").waitFor();
    await page.getByLabel("What condition 2 of rule 1 compares").selectOption("message");
    await shoot("rules");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("The rules hold from now on").waitFor();
    const ignored = async () => {
      await toSystem();
      return page.locator(".balance > div", { hasText: "ignored" }).locator("dd").innerText();
    };
    assert.match(await ignored(), /^0/);
    assert.equal(await sendTest(), 1);
    assert.match(await ignored(), /^1\b/, "the event was ignored, and counted");
    await toRules();
    await page.getByLabel("Group it by this fingerprint").check();
    await page.getByLabel(/A part a line/).fill("from the dashboard");
    await page.getByRole("button", { name: "What would they do?" }).click();
    await page.getByRole("heading", { name: "Would go on as a new issue, from the dashboard" }).waitFor();
    await shoot("rules-grouped");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("The rules hold from now on").waitFor();
    assert.equal(await sendTest(), 2, "a new issue");
    await page.locator(".row h2 a", { hasText: "TestEvent" }).first().click();
    await page.getByText("The rule “tests” decides").waitFor();
    await page.locator("#why").screenshot({ path: join(SCREENSHOTS, "rules-why.png") });
    await toRules();
    await page.getByRole("button", { name: "Remove rule 1" }).click();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("No rules: every event is kept").waitFor();

    // The theme is a choice that lasts.
    await page.locator(".top .end summary").click();
    await page.getByRole("button", { name: "Dark" }).click();
    await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
    expected.add(404);
    await page.goto(`${BASE}/issues/${PROJECT}-999`);
    await page.getByRole("heading", { name: "Nothing here" }).waitFor();
    await page.goto(`${BASE}/issues`);
    await page.locator(".top .end summary").click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(`${BASE}/login`);
  },

  async push() {
    await page.goto(BASE);
    await signIn();
    await push({ browser, page, shoot, args, base: BASE, project: PROJECT, executablePath: CHROMIUM, screenshots: SCREENSHOTS });
  },

  async alerting() {
    await page.goto(BASE);
    await signIn();
    await alerting({ page, shoot, expected, base: BASE, project: PROJECT, email: EMAIL });
  },
};

try {
  await parts[process.argv[2]]();
  assert.deepEqual(complaints, [], "pages complain");
} catch (error) {
  await page.screenshot({ path: join(SCREENSHOTS, "failed.png"), fullPage: true }).catch(() => {});
  console.error(`at ${page.url()}`);
  throw error;
} finally {
  await browser.close();
  await rm(profile, { recursive: true, force: true });
}
