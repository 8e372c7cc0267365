// What keeps somebody from reading or using a page, as one line each: contrast below WCAG 2.2 AA,
// fields and buttons without a name, headings that skip a level, and what is wider than the window.
() => {
  const found = [];
  const box = (e) => e.getBoundingClientRect();
  const isSeen = (e) => box(e).width > 0 && box(e).height > 0 && getComputedStyle(e).visibility !== "hidden";
  const called = (e) => `${e.tagName.toLowerCase()}.${e.getAttribute("class") ?? ""} "${e.textContent.trim().slice(0, 40)}"`;
  const rgba = (text) => { const all = text.match(/[\d.]+/g).map(Number); return all.length < 4 ? [...all, 1] : all; };
  const over = (top, below) => below.map((v, i) => v * (1 - top[3]) + top[i] * top[3]);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (e) => {
    const layers = [];
    for (let node = e; node; node = node.parentElement) {
      const style = getComputedStyle(node);
      if (style.backgroundImage !== "none") return null; // a gradient: its ends are looked at by eye
      const colour = rgba(style.backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const read = new Set();
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || read.has(e) || !isSeen(e)) continue;
    if (e.closest("script, style, template, option, .hidden, [disabled]")) continue;
    read.add(e);
    const style = getComputedStyle(e);
    const below = ground(e);
    if (below === null) continue;
    const ink = rgba(e.closest("svg") ? style.fill : style.color);
    for (let node = e; node; node = node.parentElement) ink[3] *= Number(getComputedStyle(node).opacity);
    const [one, other] = [light(over(ink, below)), light(below)];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (contrast < (isLarge ? 3 : 4.5)) found.push(`contrast ${contrast.toFixed(2)}: ${called(e)}`);
  }
  for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    if (!e.labels?.length && !e.ariaLabel) found.push(`no label: ${e.outerHTML.slice(0, 90)}`);
  }
  for (const e of document.querySelectorAll("button, a[href], summary")) {
    if (!e.textContent.trim() && !e.ariaLabel && !e.querySelector("title, img[alt]")) found.push(`no name: ${e.outerHTML.slice(0, 90)}`);
  }
  for (const e of document.querySelectorAll("progress")) {
    if (!e.ariaLabel && e.ariaHidden !== "true" && !e.labels.length) found.push(`no name: ${e.outerHTML}`);
  }
  for (const e of document.querySelectorAll("img:not([alt])")) found.push(`no words for: ${e.outerHTML.slice(0, 90)}`);
  for (const e of document.querySelectorAll("thead th")) {
    if (!e.textContent.trim() && !e.querySelector("input")) found.push(`empty heading: ${called(e.closest("tr"))}`);
  }
  let last = 0;
  for (const e of document.querySelectorAll("h1, h2, h3, h4")) {
    if (e.closest("dialog:not([open]), template, nav")) continue;
    const level = Number(e.tagName[1]);
    if (last && level > last + 1) found.push(`h${last} is followed by h${level}: ${called(e)}`);
    last = level;
  }
  if (document.querySelectorAll("h1").length !== 1) found.push("not one h1");
  if (!document.documentElement.lang) found.push("no language");
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) found.push(`${wide} wide`);
  return found;
}
