// Looks at mails as a phone shows them: node mails.mjs FOLDER, where each is NAME.html. Started by tests/tests/mail.rs.
//
// Ends with an error if one is wider than the screen, has text that is hard to read, or asks for anything from elsewhere.
import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const { CHROMIUM, SCREENSHOTS } = process.env;
const folder = process.argv[2];
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--hide-scrollbars"];
const profile = await mkdtemp(join(tmpdir(), "errtrack-mails-"));
const browser = await chromium.launchPersistentContext(profile, { executablePath: CHROMIUM, headless: true, args, viewport: { width: 390, height: 844 } });

/** Texts whose contrast to what is behind them is below that of WCAG 2.2, AA; runs in the page. */
function faint() {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const light = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.a > 0) return colour;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? parse("rgb(18, 18, 18)") : parse("rgb(255, 255, 255)");
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.data.trim();
    const element = texts.currentNode.parentElement;
    if (!text) continue;
    const style = getComputedStyle(element);
    const [one, other] = [light(parse(style.color)), light(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) found.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)} (${style.color})`);
    if (size < 12) found.push(`${text.slice(0, 40)}: ${size} px`);
  }
  return found;
}

try {
  const page = browser.pages()[0] ?? await browser.newPage();
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  const names = (await readdir(folder)).filter((name) => name.endsWith(".html")).toSorted();
  assert.ok(names.length > 0, "there are mails");
  for (const name of names) {
    const html = await readFile(join(folder, name), "utf8");
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await page.setContent(html);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 390, `${name} is ${wide} px wide`);
      assert.deepEqual(await page.evaluate(faint), [], `${name}, ${colorScheme}: hard to read`);
      assert.equal(await page.locator("img, script, link, iframe, form").count(), 0, `${name}: text and links alone`);
      if (SCREENSHOTS) await page.screenshot({ path: join(SCREENSHOTS, `mail-${name.replace(".html", "")}-${colorScheme}.png`), fullPage: true });
    }
  }
  assert.deepEqual(asked, [], "mails ask for nothing");
  console.log(`${names.length} mails`);
} finally {
  await browser.close();
  await rm(profile, { recursive: true, force: true });
}
