// Opens a report in a real Chromium and uses it as people do, by mouse and by
// keyboard. REPORT is the report's index.html, CHROMIUM the browser's program
// (/usr/bin/chromium), and SCREENSHOTS a folder for pictures, if they are wanted.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const report = process.env.REPORT;
assert.ok(report, "REPORT is not set: the index.html of a report");
const url = pathToFileURL(resolve(report)).href;
const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(() => browser.close());

// visit opens the report and afterwards makes sure that nothing was asked of the
// network and nothing was complained about.
async function visit(options, use, { checked = true } = {}) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, bypassCSP: true, ...options });
  const page = await context.newPage(), complaints = [], requests = [];
  page.on("console", m => { if (["error", "warning"].includes(m.type())) complaints.push(m.text()); });
  page.on("pageerror", e => complaints.push(e.message));
  page.on("request", r => requests.push(r.url()));
  await page.goto(url);
  await use(page);
  if (!checked) return context.close();
  assert.deepEqual(complaints, [], "the console");
  const foreign = requests.filter(r => !/^(data|blob):/.test(r) && r.split("#")[0] !== url && !r.startsWith(new URL(".", url).href));
  assert.deepEqual(foreign, [], "requests that leave the report");
  await context.close();
}
const picture = async (page, name) => { if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png`, fullPage: true }); };
const firstLayer = page => page.locator("nav a[data-key]").first();
const units = page => page.locator(".layer:not([hidden]) .grid a");
const openLayer = async page => { await firstLayer(page).click(); await units(page).first().waitFor(); };
// An address changes first and what is shown a moment later.
const focused = (page, text) => page.waitForFunction(text => document.activeElement.textContent === text, text);
const inGrid = page => page.waitForFunction(() => document.activeElement.closest(".grid"));
const title = page => page.locator("#unit:not([hidden]) h1");

test("strict about what it loads, with its own policy in force", () => visit({ bypassCSP: false }, async page => {
  await openLayer(page);
  await units(page).first().click();
  await title(page).waitFor();
  const blocked = await page.evaluate(() => new Promise(done => {
    document.addEventListener("securitypolicyviolation", () => done(true));
    const image = new Image();
    image.onload = () => done(false);
    image.src = "https://example.com/x.png";
  }));
  assert.equal(blocked, true, "the policy lets a picture in from elsewhere");
}, { checked: false }));

test("nothing leaves the file, no complaint", () => visit({}, async page => {
  await openLayer(page);
  for (const link of await page.locator("nav a[data-key]").all()) await link.click();
}));

test("a click opens a unit, Escape and Back return to it", () => visit({}, async page => {
  await openLayer(page);
  const third = units(page).nth(2), name = await third.textContent();
  const number = name.match(/unit (\d+)/)[1];
  await third.click();
  assert.match(await title(page).innerText(), new RegExp(`, unit ${number}$`));
  assert.ok(await page.locator("#unit .tile").count() > 1, "the unit's page has no pictures");
  await page.keyboard.press("Escape");
  await focused(page, name);
  await page.goBack();
  await title(page).waitFor();
  await page.goBack();
  await focused(page, name);
}));

test("the keyboard alone reaches a unit and comes back", () => visit({}, async page => {
  await firstLayer(page).focus();
  await page.keyboard.press("Enter");
  await units(page).first().waitFor();
  // From the heading: sorting, order, and then the grid as one stop.
  for (let i = 0; i < 8 && !await page.evaluate(() => document.activeElement.closest(".grid")); i++) await page.keyboard.press("Tab");
  assert.ok(await page.evaluate(() => document.activeElement.closest(".grid")), "Tab does not reach the grid");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  const name = await page.evaluate(() => document.activeElement.textContent);
  assert.equal(name, await units(page).nth(2).textContent());
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Home");
  await page.keyboard.press("End");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), await units(page).last().textContent());
  await page.keyboard.press("Home");
  await page.keyboard.press("Enter");
  const first = await title(page).innerText();
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(before => document.querySelector("#unit h1").innerText !== before, first);
  await page.keyboard.press("ArrowLeft");
  await page.waitForFunction(before => document.querySelector("#unit h1").innerText === before, first);
  await page.keyboard.press("Escape");
  await inGrid(page);
}));

test("a unit's page says whether its chains agree, and holds no empty words", () => visit({}, async page => {
  await openLayer(page);
  await units(page).first().click();
  await title(page).waitFor();
  const words = await page.locator("#unit").innerText();
  assert.match(words, /R-hat/);
  assert.doesNotMatch(words, /null|undefined|NaN/);
}));

test("a unit's page has what it does over the data, and leads to the units it is connected to", () => visit({}, async page => {
  await openLayer(page);
  await units(page).first().click();
  await title(page).waitFor();
  const panel = name => page.locator("#unit .panel", { has: page.locator("h2", { hasText: name }) });
  assert.ok(await panel("over the data").locator("rect.fill").count() > 1, "no histogram");
  assert.ok(await panel("Tuning to classes").locator("rect.fill").count() > 1, "no bars of classes");
  const other = panel("Strongest connections").locator("a").first(), to = await other.getAttribute("href");
  await other.click();
  await page.waitForFunction(to => location.hash === to && document.querySelector("#unit:not([hidden]) h1").innerText.endsWith("unit " + to.split("/").pop()), to);
}));

test("an address names a unit", () => visit({}, async page => {
  await openLayer(page);
  const href = await units(page).nth(1).getAttribute("href");
  await page.goto(url + href);
  assert.match(await title(page).innerText(), new RegExp(`, unit ${href.split("/").pop()}$`));
  await page.goto(url + "#no-such-thing");
  assert.ok(await page.locator("#overview").isVisible());
}));

test("sorting", () => visit({}, async page => {
  await openLayer(page);
  const by = page.locator(".layer:not([hidden]) .by"), order = page.locator(".layer:not([hidden]) .order");
  const facts = await by.locator("option").evaluateAll(options => options.map(o => o.value).filter(v => v));
  assert.ok(facts.includes("activation"), `units can't be sorted by activation, only by ${facts}`);
  const values = () => units(page).evaluateAll(all => all.map(a => a.textContent).filter(t => t.includes("·")).map(t => Number(t.split(" ").pop())));
  const numbers = () => units(page).evaluateAll(all => all.map(a => Number(a.textContent.match(/unit (\d+)/)[1])));
  const before = await numbers();
  for (const fact of facts) {
    await by.selectOption(fact);
    const down = await values();
    assert.deepEqual(down, [...down].sort((a, b) => b - a), `descending ${fact}`);
    await order.click();
    const up = await values();
    assert.deepEqual(up, [...up].sort((a, b) => a - b), `ascending ${fact}`);
    assert.deepEqual((await numbers()).sort((a, b) => a - b), before, "units got lost in sorting");
  }
  await by.selectOption("");
  assert.deepEqual(await numbers(), before);
}));

test("tiles of a grid stand below each other, and labels within their columns", () => visit({ viewport: { width: 320, height: 900 } }, async page => {
  await openLayer(page);
  const places = await units(page).evaluateAll(all => all.map(a => ({
    left: a.querySelector(".tile").getBoundingClientRect().left, top: a.offsetTop, cut: a.querySelector(".label").scrollWidth > a.clientWidth })));
  const columns = places.findIndex(p => p.top !== places[0].top);
  assert.ok(columns > 1, `a row of ${columns} tiles`);
  places.forEach((p, i) => assert.ok(Math.abs(p.left - places[i % columns].left) < 1, `tile ${i} stands beside its column`));
  assert.ok(!places.some(p => p.cut), "a label is cut");
}));

test("tiles show something", () => visit({}, async page => {
  await openLayer(page);
  const shot = (await units(page).first().locator(".tile").screenshot()).toString("base64");
  const spread = await page.evaluate(async data => {
    const image = new Image();
    image.src = "data:image/png;base64," + data;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.width; canvas.height = image.height;
    const c = canvas.getContext("2d");
    c.drawImage(image, 0, 0);
    const grey = c.getImageData(0, 0, image.width, image.height).data.filter((_, i) => i % 4 === 0);
    return Math.max(...grey) - Math.min(...grey);
  }, shot);
  assert.ok(spread > 60, `a tile's greys differ by ${spread} only`);
}));

for (const width of [400, 1400]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`layout and accessibility at ${width} px, ${colorScheme}`, () => visit({ viewport: { width, height: 900 }, colorScheme }, async page => {
      const look = async what => {
        const overflow = await page.evaluate(() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth);
        assert.ok(overflow <= 0, `${what} is ${overflow} px wider than the window`);
        const [back, ink] = await page.evaluate(() => {
          const light = c => c.match(/\d+/g).slice(0, 3).reduce((sum, x) => sum + Number(x), 0);
          return [light(getComputedStyle(document.documentElement).backgroundColor), light(getComputedStyle(document.documentElement).color)];
        });
        assert.equal(back < ink, colorScheme === "dark", `${what}: light and dark`);
        await page.evaluate(axeSource);
        const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
        const serious = found.violations.filter(v => ["serious", "critical"].includes(v.impact));
        assert.deepEqual(serious.map(v => `${v.id}: ${v.nodes[0].target} ${v.nodes[0].failureSummary}`), [], `${what}: accessibility`);
        await picture(page, `${what}-${width}-${colorScheme}`);
      };
      await look("overview");
      await openLayer(page);
      await look("grid");
      await units(page).first().click();
      await title(page).waitFor();
      await look("unit");
    }));
  }
}
