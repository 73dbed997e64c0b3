"use strict";
(() => {
  // Small helpers: an element with attributes and children, and the same for SVG.
  const el = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
  const svg = (name, attributes = {}, ...children) => fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
  const fill = (e, attributes, children) => {
    for (const [k, v] of Object.entries(attributes)) if (v !== undefined && v !== false) e.setAttribute(k, v === true ? "" : v);
    e.append(...children.flat().filter(c => c !== undefined && c !== null && c !== false));
    return e;
  };
  const text = (x, digits = 4) => x === null || x === undefined ? "–" : x !== 0 && Math.abs(x) < 1e-3 ? x.toExponential(1) : Number(x.toPrecision(digits)).toString();
  const said = words => el("span", { class: "said" }, words); // heard, not seen
  const plural = (n, word) => n + " " + word + (n === 1 ? "" : "s");
  // Math.min(...all) fails for a hundred thousand of them.
  const least = all => all.reduce((a, b) => Math.min(a, b), Infinity), most = all => all.reduce((a, b) => Math.max(a, b), -Infinity);
  const byId = id => document.getElementById(id);

  const layers = [];
  for (let i = 0; byId("data-" + i); i++) {
    const source = byId("data-" + i);
    layers.push({ ...JSON.parse(source.textContent), index: i, view: byId("layer-" + i), order: null });
    source.remove();
  }

  // A sheet of tiles becomes a picture when it is first looked at.
  const urls = new Map();
  function sheetURL(layer, number) {
    const id = "sheet-" + layer.index + "-" + number;
    if (!urls.has(id)) {
      const source = byId(id), bytes = Uint8Array.from(atob(source.textContent), c => c.charCodeAt(0));
      source.remove();
      urls.set(id, "url(" + URL.createObjectURL(new Blob([bytes], { type: "image/png" })) + ")");
    }
    return urls.get(id);
  }

  // A tile of a row, about so many pixels wide.
  const zoomOf = (layer, width) => Math.max(1, Math.round(width / layer.cols));
  function tile(layer, row, place, width, label) {
    const zoom = zoomOf(layer, width), on = place % row.per;
    const e = el("span", label ? { class: "tile", role: "img", "aria-label": label } : { class: "tile" });
    e.style.width = layer.cols * zoom + "px";
    e.style.height = layer.rows * zoom + "px";
    e.style.backgroundImage = sheetURL(layer, row.sheets[Math.floor(place / row.per)]);
    e.style.backgroundSize = row.columns * layer.cols * zoom + "px auto";
    e.style.backgroundPosition = -(on % row.columns) * layer.cols * zoom + "px " + -Math.floor(on / row.columns) * layer.rows * zoom + "px";
    return e;
  }
  // The tile that stands for a unit: the first of its own in the first row that has any.
  const thumbOf = (layer, i) => layer.thumbs.find(t => t.places[i] >= 0);
  const thumb = (layer, i, width, label) => {
    const t = thumbOf(layer, i);
    if (t) return tile(layer, t.tiles, t.places[i] * t.each, width, label);
    return noTile(layer, width);
  };
  const noTile = (layer, width, why = "no pattern") => {
    const zoom = zoomOf(layer, width), none = el("span", { class: "tile none" }, said(why));
    none.style.width = layer.cols * zoom + "px";
    none.style.height = layer.rows * zoom + "px";
    return none;
  };
  const address = (layer, unit) => "#" + layer.key + (unit === undefined ? "" : "/" + unit);
  // What a page is about is units, or goals with names.
  const noun = layer => layer.names ? "goal" : "unit";
  const called = (layer, unit) => layer.names ? layer.names[layer.units.indexOf(unit)] : "unit " + unit;
  // What a fact says of a unit, in numbers or in words.
  const valueText = (fact, value, digits) => value === null ? "–" : fact.words ? fact.words[value] : text(value, digits);
  const cut = (name, longest = 24) => name.length > longest ? name.slice(0, longest - 1) + "…" : name;
  const factOf = (layer, key) => layer.facts.find(f => f.key === key);

  // The grid of a layer.
  function openGrid(layer) {
    if (layer.order) return;
    const grid = layer.view.querySelector(".grid");
    layer.items = layer.units.map((unit, i) => {
      const dead = layer.dead && layer.dead.includes(i);
      const picture = thumb(layer, i, 56);
      if (dead) picture.classList.add("dead");
      const label = el("span", { class: "label" });
      const link = el("a", { href: address(layer, unit), tabindex: -1 }, picture, label);
      return { unit, place: i, dead, link, label, item: el("li", {}, link) };
    });
    const by = layer.view.querySelector(".by"), order = layer.view.querySelector(".order"), alive = layer.view.querySelector(".alive");
    by.addEventListener("change", () => { order.textContent = by.value ? "descending" : "ascending"; arrange(layer); });
    order.addEventListener("click", () => { order.textContent = order.textContent === "ascending" ? "descending" : "ascending"; arrange(layer); });
    if (alive) alive.addEventListener("change", () => arrange(layer));
    grid.addEventListener("keydown", e => moveInGrid(layer, e));
    grid.addEventListener("focusin", e => { const a = e.target.closest("a"); if (a) rove(layer, a); });
    arrange(layer);
  }

  // arrange puts the units in the order that is asked for; units without the number come last.
  function arrange(layer) {
    const fact = factOf(layer, layer.view.querySelector(".by").value), down = layer.view.querySelector(".order").textContent === "descending";
    const alive = layer.view.querySelector(".alive");
    const value = i => fact ? fact.values[i.place] : i.unit;
    layer.order = layer.items.filter(i => !(alive && alive.checked && i.dead)).sort((a, b) => {
      const x = value(a), y = value(b);
      if (x === null || y === null) return (x === null) - (y === null) || a.unit - b.unit;
      return (down ? y - x : x - y) || a.unit - b.unit;
    });
    const shown = fact || layer.facts[0];
    let letters = 0;
    for (const i of layer.order) {
      const value = shown ? shown.values[i.place] : null;
      const id = layer.names ? cut(layer.names[i.place]) : String(i.unit);
      i.label.replaceChildren(said("layer " + layer.layer + ", " + noun(layer) + " "), id, i.dead ? said(", dead") : "", value === null ? "" : " · ", value === null ? "" : said(shown.name + " "), value === null ? "" : valueText(shown, value, 3));
      letters = Math.max(letters, (value === null ? id : id + " · " + valueText(shown, value, 3)).length);
    }
    layer.view.querySelector(".hint").textContent = fact ? fact.name + ": " + fact.about : "";
    layer.view.querySelector(".labels").textContent = "Below each its " + (layer.names ? "name" : "number") + (shown ? " and its " + shown.name + (fact ? "" : ": " + shown.about) : "") + ".";
    const grid = layer.view.querySelector(".grid");
    grid.style.setProperty("--letters", letters);
    grid.style.setProperty("--tile", layer.cols * zoomOf(layer, 56) + "px");
    grid.replaceChildren(...layer.order.map(i => i.item));
    if (layer.order.length) rove(layer, layer.order[0].link);
  }

  // Only one unit of a grid is in the order of the tab key; arrows go to the others.
  function rove(layer, link) {
    if (layer.roving) layer.roving.tabIndex = -1;
    layer.roving = link;
    link.tabIndex = 0;
  }
  function moveInGrid(layer, e) {
    const at = layer.order.findIndex(i => i.link === document.activeElement);
    if (at < 0 || e.ctrlKey || e.metaKey || e.altKey) return;
    const top = layer.order[0].link.offsetTop;
    let columns = layer.order.findIndex(i => i.link.offsetTop !== top);
    if (columns < 0) columns = layer.order.length;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + columns, ArrowUp: at - columns, Home: 0, End: layer.order.length - 1 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    const next = layer.order[Math.max(0, Math.min(layer.order.length - 1, to))];
    next.link.focus();
  }

  // The page of a unit.
  let shown = null; // { layer, unit }
  function openUnit(layer, unit) {
    openGrid(layer);
    const i = layer.units.indexOf(unit), at = layer.order.findIndex(o => o.place === i);
    const neighbour = by => at < 0 ? undefined : layer.order[at + by];
    const view = byId("unit");
    const go = (name, to, key) => to ? el("a", { class: "tab", href: address(layer, to.unit), rel: key }, name) : null;
    const title = el("h1", { id: "unit-title", tabindex: -1 }, layer.name + ", " + called(layer, unit));
    view.replaceChildren(
      el("p", { class: "bar" }, el("a", { class: "tab back", href: address(layer) }, "← all " + noun(layer) + "s"), go("‹ previous", neighbour(-1), "prev"), go("next ›", neighbour(1), "next"),
        el("span", { class: "key" }, "Escape: all " + noun(layer) + "s. Left and right arrow: neighbours in the order of the grid.")),
      title, ...warnings(layer),
      el("div", { class: "lead" }, lead(layer, i), facts(layer, i)),
      el("div", { class: "panels" }, restarts(layer, i), curves(layer, i), histogram(layer, i), samples(layer, i), combination(layer, i), examples(layer, i), tuning(layer, i), classes(layer, i), connections(layer, i), ...others(layer, i), selectivity(layer, i)));
    shown = { layer, unit, neighbour };
    title.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }

  const panel = (title, about, ...content) => el("section", { class: "panel" }, el("h2", {}, title), about ? el("p", { class: "about" }, about) : null, ...content);
  const list = items => el("ul", { class: "tiles" }, items);
  const captioned = (picture, caption, best) => el("li", best ? { class: "best" } : {}, picture, el("span", { class: "label" }, caption));

  const warnings = layer => layer.warnings.length ? [el("div", { class: "warning", role: "note", "aria-label": "Warnings of this layer" }, el("ul", {}, layer.warnings.map(w => el("li", {}, w))))] : [];

  function lead(layer, i) {
    const t = thumbOf(layer, i);
    if (!t) return null;
    return el("figure", { class: "chart" }, thumb(layer, i, 224, called(layer, layer.units[i]) + ": " + t.method), el("figcaption", {}, t.method[0].toUpperCase() + t.method.slice(1) + ". " + t.tiles.scale));
  }

  function facts(layer, i) {
    const rows = layer.facts.filter(f => f.values[i] !== null).flatMap(f => [el("dt", {}, f.name), el("dd", {}, valueText(f, f.values[i]) + (f.words ? "" : place(f, i)), el("span", { class: "about why" }, f.about))]);
    if (layer.dead && layer.dead.includes(i)) rows.push(el("dt", {}, "dead"), el("dd", {}, "no start of the ascent had a gradient: its patterns are random starts"));
    return rows.length ? el("dl", {}, rows) : null;
  }
  function place(fact, i) {
    const others = fact.values.filter((x, k) => x !== null && k !== i), x = fact.values[i];
    if (!others.length) return "";
    const higher = others.filter(o => o > x).length, same = others.filter(o => o === x).length;
    if (others.length === 1) return higher ? ": the other is higher" : same ? ": the other is as high" : ": the other is lower";
    return ": " + (higher ? higher + " of the " + plural(others.length, "other") + (higher === 1 ? " is" : " are") + " higher" : "none of the " + plural(others.length, "other") + " is higher") + (same ? ", " + same + " as high" : "");
  }

  function restarts(layer, i) {
    const a = layer.ascent;
    if (!a || a.best[i] < 0) return null;
    const at = r => i * a.count + r, say = r => plural(a.steps[at(r)], "step") + ", " + a.stop[at(r)];
    const order = [...Array(a.count).keys()].sort((x, y) => (x !== a.best[i]) - (y !== a.best[i]) || a.activation[at(y)] - a.activation[at(x)]);
    const tiles = a.all ? list(order.map(r => captioned(
      tile(layer, a.restarts.tiles, a.restarts.places[i] * a.count + r, 84, "restart " + r + ", activation " + text(a.activation[at(r)]) + ", " + say(r)),
      text(a.activation[at(r)], 4) + " · cos " + text(a.cosine[at(r)], 2), r === a.best[i]))) : null;
    const table = el("details", {}, el("summary", {}, "all numbers"), el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "numbers of the restarts" }, el("table", {},
      el("thead", {}, el("tr", {}, ["restart", "activation", "at the start", "steps", "stop", "cosine to the best"].map(n => el("th", { scope: "col", class: n === "stop" ? undefined : "right" }, n)))),
      el("tbody", {}, order.map(r => el("tr", {}, el("th", { scope: "row", class: "right" }, r), [text(a.activation[at(r)], 5), text(a.start[at(r)], 5), a.steps[at(r)]].map(x => el("td", { class: "right" }, x)),
        el("td", {}, a.stop[at(r)]), el("td", { class: "right" }, text(a.cosine[at(r)], 3))))))));
    return panel("Activation maximization, " + plural(a.count, "restart"), "Erhan et al. (2009), section 3. The best first; below each its activation and the cosine to the best one." + (a.all ? "" : a.kept === "best" ? " The run kept the best patterns only." : " The patterns of the others are in the run folder; they could not be shown here."), tiles, table);
  }

  // Some round numbers between two others, with as many digits as tell them apart;
  // whole ones of what is counted.
  function ticks(low, high, whole) {
    const rough = Math.max((high - low) / 5.5, whole ? 1 : 0), power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find(m => m * power >= rough * .999);
    const all = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9 && all.length < 9; k++) all.push(k * step);
    const digits = Math.max(0, Math.min(8, -Math.floor(Math.log10(step) + 1e-9)));
    return all.map(v => [v, Math.abs(v) >= 1e6 || step < 1e-8 ? text(v, 6) : v.toFixed(digits)]);
  }

  // A chart with axes: draw gets functions that place numbers. marks are those of x,
  // [number, words], if they are not round numbers; counted is true where ys are counts.
  function plot(label, xs, ys, xName, yName, draw, { marks, counted } = {}) {
    const w = 420, h = 210, left = 58, right = 24, top = 10, bottom = 38;
    const span = v => { let a = least(v), b = most(v); if (!(b > a)) { const d = Math.abs(a) * .05 || .5; a -= d; b += d; } return [a, b]; };
    const [x0, x1] = span(xs), [y0, y1] = span(ys);
    const x = v => left + (v - x0) / (x1 - x0) * (w - left - right), y = v => h - bottom - (v - y0) / (y1 - y0) * (h - top - bottom);
    return svg("svg", { class: "plot", viewBox: "0 0 " + w + " " + h, role: "img", "aria-label": label },
      draw(x, y), svg("path", { class: "axis", d: "M" + left + " " + top + "V" + (h - bottom) + "H" + (w - right) }),
      ticks(y0, y1, counted).flatMap(([v, words]) => [svg("path", { class: "tick", d: "M" + left + " " + y(v) + "h-4" }), svg("text", { x: left - 6, y: y(v) + 4, "text-anchor": "end" }, words)]),
      (marks || ticks(x0, x1)).flatMap(([v, words]) => [svg("path", { class: "tick", d: "M" + x(v) + " " + (h - bottom) + "v4" }), svg("text", { x: x(v), y: h - bottom + 15, "text-anchor": "middle" }, words)]),
      svg("text", { x: (left + w - right) / 2, y: h - 6, "text-anchor": "middle" }, xName),
      svg("text", { x: 0, y: 0, transform: "translate(12 " + (h - bottom) / 2 + ") rotate(-90)", "text-anchor": "middle" }, yName));
  }

  function curves(layer, i) {
    const a = layer.ascent, c = a && a.curves;
    if (!c || a.best[i] < 0) return null;
    const steps = c.step.length, all = [];
    for (let r = 0; r < a.count; r++) {
      const row = c.activation.slice((i * a.count + r) * steps, (i * a.count + r + 1) * steps);
      if (row.every(v => v !== null)) all.push(row);
    }
    if (!all.length || steps < 2) return null;
    const log = c.step.map(s => Math.log10(s + 1)), marks = [[0, "0"]];
    for (let s = 1; Math.log10(s + 1) <= log[steps - 1]; s *= 10) marks.push([Math.log10(s + 1), String(s)]);
    return panel("Ascent", "Activation of every restart against its steps, on a logarithmic scale.", plot("activation of " + plural(all.length, "restart") + " against steps", log, all.flat(), "steps", "activation",
      (x, y) => all.map(row => svg("path", { class: "line", d: row.map((v, k) => (k ? "L" : "M") + x(log[k]).toFixed(1) + " " + y(v).toFixed(1)).join("") })), { marks }));
  }

  function histogram(layer, i) {
    const a = layer.ascent;
    if (!a || a.best[i] < 0 || a.count < 3) return null;
    const values = a.activation.slice(i * a.count, (i + 1) * a.count), low = least(values), high = most(values);
    const bins = Math.min(20, Math.max(5, Math.ceil(Math.sqrt(a.count)))), counts = Array(bins).fill(0);
    const width = (high - low) / bins || Math.abs(low) * .02 || .1, start = high > low ? low : low - width * bins / 2;
    for (const v of values) counts[Math.min(bins - 1, Math.floor((v - start) / width))]++;
    return panel("Activations of the restarts", high - low < 1e-4 * Math.max(1, Math.abs(high)) ? "All restarts end at " + (high > low ? "nearly " : "") + "the same activation." : null,
      plot("histogram of the activations of " + plural(a.count, "restart"), [start, start + bins * width], [0, most(counts)], "activation", "restarts",
        (x, y) => counts.map((n, k) => svg("rect", { class: "fill", x: x(start + k * width) + 1, y: y(n), width: Math.max(1, x(start + width) - x(start) - 2), height: y(0) - y(n) })), { counted: true }));
  }

  function samples(layer, i) {
    const s = layer.samples;
    if (!s || s.samples.places[i] < 0) return null;
    const at = s.samples.places[i], each = s.samples.each, rhat = s.rhat ? s.rhat[i] : null, apart = rhat !== null && rhat > s.limit;
    const mixed = !s.rhat ? null : rhat === null ? el("p", { class: "about" }, "R-hat is not known: it needs four samples of each chain, and samples that differ.") : el("p", apart ? { class: "mark" } : {}, "R-hat " + text(rhat, 3) + (apart ? ", above " + s.limit + ": the chains disagree, and the mean depends on where they began." : ": the chains agree."));
    return panel("Samples with the unit on", "Erhan et al. (2009), section 4: what the net generates while this unit is held at 1. The mean first. " + s.mean.tiles.scale, mixed, list([
      captioned(tile(layer, s.mean.tiles, s.mean.places[i], 84, "mean of the samples"), "mean", true),
      ...[...Array(each).keys()].map(k => el("li", {}, tile(layer, s.samples.tiles, at * each + k, 56, "sample " + k)))]));
  }

  function combination(layer, i) {
    const c = layer.combine;
    if (!c || c.places[i] < 0) return null;
    return panel("Linear combination", "Erhan et al. (2009), section 5: the filters of the units below, weighted by the connections to this one.", list([el("li", {}, tile(layer, c.tiles, c.places[i], 112, "linear combination of the filters below"))]));
  }

  // Patterns that comparisons and figures have of the unit, each under its method; a
  // panel for each run.
  function others(layer, i) {
    const of = new Map();
    for (const o of layer.others) {
      if (o.places[i] < 0) continue;
      const all = [...Array(o.each).keys()].map(k => [k, o.places[i] * o.each + k]).filter(([, at]) => !o.absent.includes(at));
      const tiles = all.map(([k, at]) => captioned(tile(layer, o.tiles, at, all.length > 6 ? 56 : 84, o.names[k]), o.names[k]));
      if (all.length) of.set(o.folder, [...(of.get(o.folder) || [o.task]), el("p", { class: "about" }, o.tiles.scale), list(tiles)]);
    }
    return [...of].map(([folder, [task, ...content]]) => panel("In " + task, "From " + folder + ".", ...content));
  }

  function examples(layer, i) {
    const e = layer.examples;
    if (!e || e.examples.places[i] < 0) return null;
    const n = e.examples.each;
    return panel("Examples that excite it most", "From the data, with activation" + (e.label[i * n] >= 0 ? " and label" : "") + ". " + e.examples.tiles.scale, list([...Array(n).keys()].map(k => {
      const label = e.label[i * n + k], activation = text(e.activation[i * n + k], 3);
      return captioned(tile(layer, e.examples.tiles, e.examples.places[i] * n + k, 84, "example " + e.index[i * n + k] + ", activation " + activation + (label >= 0 ? ", label " + label : "")), activation + (label >= 0 ? " · " + label : ""));
    })));
  }

  function selectivity(layer, i) {
    const s = layer.selectivity;
    if (!s || s.places[i] < 0) return null;
    s.numbers = s.numbers || Int8Array.from(atob(s.matrix), c => c.charCodeAt(0));
    const n = s.units.length, row = s.numbers.subarray(s.places[i] * n, (s.places[i] + 1) * n);
    const others = [...Array(n).keys()].filter(k => k !== s.places[i]).sort((a, b) => row[b] - row[a]).slice(0, 12);
    const strongest = others.map(k => {
      const unit = s.units[k], at = layer.units.indexOf(unit), response = text(row[k] / 127, 2);
      const picture = at >= 0 ? thumb(layer, at, 56) : null;
      return el("li", {}, el("a", { href: address(layer, unit) }, picture, el("span", { class: "label" }, said("unit "), unit + " · ", said("response "), response)));
    });
    return panel("Who else answers", "Answers of all " + n + " units to this unit's pattern: what a unit puts out, after its nonlinearity, divided by its largest for any of their patterns. Below, the strongest others.",
      plot("responses of " + n + " units to this unit's pattern", [0, n - 1], [Math.min(0, least(row)) / 127, 1], "unit, in the order of the matrix", "response",
        (x, y) => svg("path", { class: "line", d: [...row].map((v, k) => "M" + x(k).toFixed(1) + " " + y(0).toFixed(1) + "V" + y(v / 127).toFixed(1)).join("") })),
      list(strongest));
  }

  // What the unit does over data. A bin that is much fuller than all others is cut off,
  // and its number stands beside it.
  function tuning(layer, i) {
    const t = layer.tuning, bins = t && t.counts.length / layer.units.length;
    if (!t || t.counts[i * bins] < 0) return null;
    const counts = t.counts.slice(i * bins, (i + 1) * bins), all = counts.reduce((a, b) => a + b, 0);
    const [low, high] = t.range.slice(2 * i, 2 * i + 2), edge = k => low + (high - low) * k / bins;
    const [first, second] = [...counts].sort((a, b) => b - a), cut = first > 4 * second && second > 0, top = cut ? 1.5 * second : first;
    const quantiles = t.percents.map((p, k) => [p, t.quantiles[i * t.percents.length + k]]), at = percent => (quantiles.find(([p]) => p === percent) || [])[1];
    // From 5 to 95 percent a line, from 25 to 75 a box, and the median in it.
    const box = x => [[at(5), at(25)], [at(75), at(95)]].map(([a, b]) => svg("path", { class: "quantile", d: "M" + x(a) + " 18H" + x(b) })).concat(
      svg("rect", { class: "quantile", x: x(at(25)), y: 12, width: Math.max(.5, x(at(75)) - x(at(25))), height: 12 }), svg("path", { class: "quantile median", d: "M" + x(at(50)) + " 9v18" }));
    const doubt = t.doubts[i] ? el("p", {}, el("span", { class: "mark" }, "This unit is " + t.doubts[i] + ".")) : null;
    return panel((t.what === "output" ? "Outputs" : "Activations") + " over the data", "A histogram of the unit's " + t.what + " for " + plural(all, "example") + (t.what === "output" ? ", after the nonlinearity if it has one" : ", before the nonlinearity") + ". Above it the middle half of them as a box, with the median, and 90 in 100 as a line.", doubt,
      plot("histogram of the " + t.what + "s for " + plural(all, "example"), [low, high], [0, 1.2 * top], t.what, "examples",
        (x, y) => [...counts.flatMap((n, k) => {
          const bar = svg("rect", { class: "fill", x: x(edge(k)) + .5, y: y(Math.min(n, top)), width: Math.max(1, x(edge(k + 1)) - x(edge(k)) - 1), height: y(0) - y(Math.min(n, top)) });
          if (n <= top) return [bar];
          const left = k < bins / 2, beside = left ? x(edge(k + 1)) + 4 : x(edge(k)) - 4;
          return [bar, svg("text", { x: beside, y: y(top) + 10, "text-anchor": left ? "start" : "end" }, "← ".repeat(left) + n + " →".repeat(!left))];
        }), ...(at(5) === undefined ? [] : box(x))], { counted: true }),
      el("details", {}, el("summary", {}, "quantiles"), el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "quantiles" }, el("table", {},
        el("thead", {}, el("tr", {}, el("th", { scope: "col", class: "right" }, "% of examples"), el("th", { scope: "col", class: "right" }, "at or below"))),
        el("tbody", {}, quantiles.map(([p, v]) => el("tr", {}, el("th", { scope: "row", class: "right" }, p), el("td", { class: "right" }, text(v)))))))));
  }

  // The unit's mean for each class, as bars from 0.
  function classes(layer, i) {
    const t = layer.tuning, shown = t && t.means ? t.means.length / layer.units.length : 0;
    if (shown < 2 || t.best[i * shown] < 0) return null;
    const means = t.means.slice(i * shown, (i + 1) * shown);
    if (most(means) === least(means)) return null;
    const names = t.best.slice(i * shown, (i + 1) * shown).map(c => t.classes[c]);
    const short = name => name.length > 18 ? name.slice(0, 17) + "…" : name;
    const longest = most(names.map(n => short(n).length)), row = 17, w = 420, left = 12 + 6.5 * longest, right = 52;
    const low = Math.min(0, least(means)), high = Math.max(0, most(means)), x = v => left + (high > low ? (v - low) / (high - low) : 0) * (w - left - right);
    const best = most(means), others = t.classes.length > shown ? ", the " + shown + " of " + t.classes.length + " with the largest" : "";
    return panel("Tuning to classes", "The unit's mean " + t.what + " for the examples of each class" + others + ".",
      svg("svg", { class: "plot", viewBox: "0 0 " + w + " " + (shown * row + 4), role: "img", "aria-label": "mean " + t.what + " by class: " + names.map((n, k) => n + " " + text(means[k], 3)).join(", ") },
        means.map((v, k) => svg("rect", { class: v === best && best > low ? "fill" : "fill other", x: Math.min(x(0), x(v)), y: k * row + 3, width: Math.max(.5, Math.abs(x(v) - x(0))), height: row - 4 })),
        svg("path", { class: "axis", d: "M" + x(0) + " 0V" + (shown * row + 4) }),
        names.map((n, k) => svg("text", { x: left - 6, y: (k + 1) * row - 3, "text-anchor": "end" }, short(n))),
        means.map((v, k) => svg("text", { x: x(Math.max(v, 0)) + 5, y: (k + 1) * row - 3 }, text(v, 3)))));
  }

  // The units at each side that this one has the largest weights to, with their pages
  // where the report has some, and their pictures where this file has them.
  function connections(layer, i) {
    const c = layer.connections;
    if (!c) return null;
    const side = (name, s, none) => {
      const all = [...Array(c.each).keys()].map(k => i * c.each + k).filter(k => s.layer[k] > 0), numbers = [...new Set(all.map(k => s.layer[k]))];
      const heading = el("h3", {}, name + (numbers.length === 1 ? ", in " + c.titles[numbers[0]] : ""));
      if (!all.length) return [heading, el("p", { class: "about" }, none)];
      return [heading, list(all.map(k => {
        const other = numbers.length > 1 ? [said("layer "), s.layer[k] + "/"] : [], key = layer.key.replace(/[^/]*$/, s.layer[k]), here = layers.find(l => l.key === key);
        const at = here ? here.units.indexOf(s.unit[k]) : -1, label = el("span", { class: "label" }, ...other, said("unit "), s.unit[k] + " · ", said("weight "), (s.weight[k] > 0 ? "+" : "") + text(s.weight[k], 2));
        const picture = at >= 0 ? thumb(here, at, 56) : noTile(layer, 56, "no picture here, ");
        return el("li", {}, s.page[k] ? el("a", { href: "#" + key + "/" + s.unit[k] }, picture, label) : [picture, label]);
      }))];
    };
    return panel("Strongest connections", "The units with the largest weights to this one, whatever their sign; those that were not looked at have no picture.",
      ...side("Below", c.below, layer.layer === 1 ? "This layer takes the inputs; its weights to them are its filters." : "Something else than weights comes between."),
      ...side("Above", c.above, "No units take this one's output by weights alone."));
  }

  // Of a report in several files an address may name what another of them has.
  function elsewhere(key) {
    const link = [...document.querySelectorAll("nav [data-key]")].find(a => key === a.dataset.key || key.startsWith(a.dataset.key + "/"));
    const file = link && link.getAttribute("href").split("#")[0];
    if (!file || layers.some(l => l.key === link.dataset.key)) return false;
    location.replace(file + "#" + key);
    return true;
  }

  // The address says what is shown: nothing or #overview, #model/2, #model/2/17.
  let scrolled = 0;
  function route() {
    const before = shown;
    if (!before && current && !current.hidden) scrolled = window.scrollY;
    const key = location.hash.slice(1);
    let layer = layers.find(l => l.key === key), unit;
    if (!layer) {
      const cut = key.lastIndexOf("/"), number = Number(key.slice(cut + 1));
      const of = layers.find(l => l.key === key.slice(0, cut));
      if (of && of.units.includes(number)) { layer = of; unit = number; }
    }
    if (!layer && elsewhere(key)) return;
    if (!layer && !byId("overview")) layer = layers[0];
    shown = null;
    const view = !layer ? byId("overview") : unit === undefined ? layer.view : byId("unit");
    for (const v of document.querySelectorAll(".view")) v.hidden = v !== view;
    for (const t of document.querySelectorAll("nav .tab")) {
      const here = layer ? t.dataset.key === layer.key : !t.dataset.key;
      if (here) { t.setAttribute("aria-current", "page"); t.closest("nav").scrollLeft = t.offsetLeft - 40; } else t.removeAttribute("aria-current");
    }
    current = view;
    document.title = (layer ? layer.name + (unit === undefined ? "" : ", " + called(layer, unit)) + " – " : "") + name;
    const run = !layer && /^run-\d+$/.test(key) && byId(key);
    if (run) { byId("runs").open = run.open = true; run.scrollIntoView(); run.querySelector("summary").focus(); routed = true; return; }
    if (unit !== undefined) { openUnit(layer, unit); return; }
    if (layer) openGrid(layer);
    if (before && layer === before.layer) {
      // Back to where the unit is.
      const item = layer.order.find(i => i.unit === before.unit);
      window.scrollTo(0, scrolled);
      if (item) item.link.focus();
      return;
    }
    if (routed) { view.querySelector("h1").focus({ preventScroll: true }); window.scrollTo(0, 0); }
    routed = true;
  }
  let current = null, routed = false;
  const name = document.title; // of the report

  document.addEventListener("keydown", e => {
    if (!shown || e.ctrlKey || e.metaKey || e.altKey || e.target.closest("select, input, textarea")) return;
    if (e.key === "Escape") location.hash = address(shown.layer);
    if (e.target.closest(".scroll")) return; // arrows scroll it
    const by = { ArrowLeft: -1, ArrowRight: 1 }[e.key], to = by && shown.neighbour(by);
    if (to) { e.preventDefault(); location.hash = address(shown.layer, to.unit); }
  });
  document.querySelector(".skip").addEventListener("click", e => { e.preventDefault(); byId("main").focus(); });
  window.addEventListener("hashchange", route);
  route();
})();
