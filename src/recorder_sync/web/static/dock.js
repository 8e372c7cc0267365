// Keeps the dock screen as the station is. The server says everything that is shown; what is
// here puts it in its place, and says so when the server says nothing any more.
"use strict";

const LOST_AFTER_MS = 8000; // the server gives a sign of life every three seconds
const POLL_MS = 1000;
const RECONNECT_MS = 3000;

const body = document.body;
const ports = document.querySelector(".ports");
const texts = { trouble: document.querySelector(".trouble"), matters: document.querySelector(".matters") };
let heard = now();
let serverTrouble = null;
let isLost = false;

// A moment by both clocks of the computer: one may be set back, the other stands still in sleep.
function now() {
  return { wall: Date.now(), run: performance.now() };
}

function since(then) {
  return Math.max(Date.now() - then.wall, performance.now() - then.run);
}

// What is shown

function setText(root, name, text) {
  const place = root.querySelector(`[data-${name}]`);
  place.textContent = text ?? "";
  if (place.dataset.keeps === undefined) place.hidden = text === null || text === undefined || text === "";
}

function setSign(svg, name) {
  svg.querySelector("use").setAttribute("href", `${body.dataset.signs}#${name}`);
}

function setLevel(tile, name, found) {
  const place = tile.querySelector(`[data-level=${name}]`);
  place.hidden = !found;
  if (!found) return;
  place.classList.toggle("low", found.is_low);
  place.querySelector("b").textContent = found.text;
  const fill = place.querySelector(".fill");
  if (name === "battery") {
    fill.setAttribute("width", (found.percent * 0.23).toFixed(1));
  } else {
    fill.setAttribute("y", (15 - found.percent * 0.08).toFixed(1));
    fill.setAttribute("height", (found.percent * 0.08).toFixed(1));
  }
}

function fill(tile, shown) {
  tile.className = `tile ${shown.kind}`;
  tile.dataset.port = shown.port;
  tile.toggleAttribute("aria-hidden", false);
  if (shown.kind === "gap") tile.setAttribute("aria-hidden", "true");
  setSign(tile.querySelector(".state .sign"), shown.sign);
  tile.querySelector("[data-word]").textContent = shown.word;
  tile.querySelector("[data-port-name]").textContent = shown.port;
  for (const name of ["device", "officer", "says", "do", "note"]) setText(tile, name, shown[name]);
  setLevel(tile, "battery", shown.battery);
  setLevel(tile, "free", shown.free);
  const moving = tile.querySelector("[data-moving]");
  moving.hidden = !shown.moving;
  if (shown.moving) {
    const bar = moving.querySelector("progress");
    bar.max = Math.max(1, shown.moving.size);
    bar.value = shown.moving.done;
    moving.querySelector("[data-recordings]").textContent = shown.moving.recordings;
    moving.querySelector("[data-rest]").textContent = shown.moving.rest;
  }
  tile.querySelector("[data-act]").hidden = !shown.docking;
  tile.querySelector("[data-docking]").dataset.docking = shown.docking ?? "";
}

function showTiles(message) {
  if (!message.whole) {
    for (const [at, shown] of Object.entries(message.tiles)) {
      const tile = ports.children[at];
      sounds.changed(shown, tile.classList[1]);
      fill(tile, shown);
    }
    return;
  }
  const before = new Map([...ports.children].map((tile) => [tile.dataset.port, tile.classList[1]]));
  while (ports.children.length > message.tiles.length) ports.lastElementChild.remove();
  while (ports.children.length < message.tiles.length) {
    ports.append(document.getElementById("tile").content.cloneNode(true));
  }
  message.tiles.forEach((shown, at) => {
    sounds.changed(shown, before.get(shown.port));
    fill(ports.children[at], shown);
  });
  ports.className = `ports columns-${message.columns}`;
}

function showDue(due) {
  for (const list of document.querySelectorAll("[data-due-list]")) {
    const lines = due.map((one) => {
      const line = document.getElementById("due-line").content.cloneNode(true).firstElementChild;
      line.classList.toggle("late", one.late);
      line.querySelector("b").textContent = one.device;
      line.querySelector("span").textContent = one.officer ?? "—";
      line.querySelector("time").textContent = one.by;
      const said = line.querySelector("em");
      said.textContent = one.late ? said.dataset.late : said.dataset.soon;
      return line;
    });
    list.querySelector("ol").replaceChildren(...lines);
    list.querySelector(".none").hidden = due.length > 0;
  }
  const count = document.querySelector("[data-due-count]");
  count.textContent = due.length;
  count.hidden = due.length === 0;
}

function showMatters(matters) {
  texts.matters.hidden = matters.length === 0;
  texts.matters.replaceChildren(...matters.map((one) => {
    const line = document.getElementById("matter").content.cloneNode(true).firstElementChild;
    line.classList.toggle("bad", one.bad);
    line.querySelector("span").textContent = one.text;
    return line;
  }));
}

function showTrouble() {
  const trouble = isLost ? { text: body.dataset.lost, hint: body.dataset.lostHint } : serverTrouble;
  body.classList.toggle("not-live", Boolean(trouble));
  texts.trouble.hidden = !trouble;
  texts.trouble.querySelector("[data-trouble]").textContent = trouble?.text ?? "";
  texts.trouble.querySelector("[data-trouble-hint]").textContent = trouble?.hint ?? "";
}

// What was shown last may be so no more: nobody is to read "safe" off it.
function forgetStates() {
  for (const tile of ports.querySelectorAll(".tile:not(.gap, .free)")) {
    fill(tile, {
      port: tile.dataset.port, kind: "lost", sign: "unknown", word: body.dataset.unknown,
      device: tile.querySelector("[data-device]").textContent,
      officer: tile.querySelector("[data-officer]").textContent,
    });
  }
}

function show(message) {
  if (isLost && !message.whole) return; // it comes whole again in a moment
  if (message.build !== undefined && message.build !== body.dataset.build) {
    location.reload(); // the program was renewed: this page does not know its messages
    return;
  }
  isLost = false;
  showTiles(message);
  if (message.trouble !== undefined) serverTrouble = message.trouble;
  if (message.summary !== undefined) document.querySelector("[data-summary]").textContent = message.summary ?? "";
  if (message.idle !== undefined) body.classList.toggle("idle", message.idle);
  if (message.due !== undefined) showDue(message.due);
  if (message.matters !== undefined) showMatters(message.matters);
  showTrouble();
  heard = now();
}

function lose() {
  isLost = true;
  forgetStates();
  showTrouble();
}

// What cannot be shown is as good as not heard: nothing that was shown before may stand.
function take(text) {
  try {
    show(JSON.parse(text));
  } catch (error) {
    lose();
    throw error;
  }
}

// Sounds: a chord when a device is done, two low tones when somebody is needed

const sounds = {
  context: null,
  isOn: body.dataset.sounds === "yes" && localStorage.getItem("dock-mute") !== "yes",
  changed(shown, before) {
    if (before === undefined || before === shown.kind || before === "lost" || isLost) return;
    if (shown.kind === "good") this.play([[659, 0], [880, 0.16]], "sine");
    if (shown.kind === "bad" || shown.kind === "unknown") this.play([[247, 0], [247, 0.3], [247, 0.6]], "triangle");
  },
  play(tones, shape) {
    body.dataset.played = String(Number(body.dataset.played ?? 0) + (this.isOn ? 1 : 0));
    if (!this.isOn) return;
    this.context ??= new AudioContext();
    this.context.resume();
    for (const [pitch, after] of tones) {
      const begin = this.context.currentTime + after;
      const tone = new OscillatorNode(this.context, { type: shape, frequency: pitch });
      const loudness = new GainNode(this.context, { gain: 0 });
      loudness.gain.setValueAtTime(0.0001, begin);
      loudness.gain.exponentialRampToValueAtTime(0.5, begin + 0.02);
      loudness.gain.exponentialRampToValueAtTime(0.0001, begin + 0.24);
      tone.connect(loudness).connect(this.context.destination);
      tone.start(begin);
      tone.stop(begin + 0.25);
    }
  },
};

const soundButton = document.querySelector(".sound");
function showSound() {
  soundButton.setAttribute("aria-pressed", String(!sounds.isOn));
  soundButton.setAttribute("aria-label", sounds.isOn ? body.dataset.mute : body.dataset.unmute);
}
if (soundButton) {
  showSound();
  soundButton.addEventListener("click", () => {
    sounds.isOn = !sounds.isOn;
    localStorage.setItem("dock-mute", sounds.isOn ? "no" : "yes");
    showSound();
    if (sounds.isOn) sounds.play([[880, 0]], "sine");
  });
}

// The line to the server: events, and asking again and again where there are none

let source = null;
let asked = { wall: 0, run: -POLL_MS };
let polling = false;

function connect() {
  source?.close();
  if (!window.EventSource) return;
  source = new EventSource("/dock/stream");
  source.onmessage = (event) => loseIfQuiet() || take(event.data);
  source.addEventListener("alive", () => {
    if (loseIfQuiet()) return;
    heard = now();
    if (isLost) connect(); // what was shown meanwhile is not known: the whole picture again
  });
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, RECONNECT_MS);
  };
}

// Also asked before anything is taken as said now: after a sleep the first that is heard may
// have been waiting in this computer since before.
function loseIfQuiet() {
  if (isLost || since(heard) <= LOST_AFTER_MS) return false;
  lose();
  connect();
  return true;
}

async function poll() {
  if (polling) return;
  polling = true;
  const begun = now();
  try {
    const answer = await fetch("/dock/now", { cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(5000) });
    const text = answer.ok ? await answer.text() : "";
    if (answer.ok && since(begun) <= LOST_AFTER_MS) take(text);
    else if (answer.type === "opaqueredirect") location.reload(); // signed out
  } catch {
    // It stays lost, and is asked again.
  } finally {
    polling = false;
  }
}

setInterval(() => {
  const quiet = since(heard);
  const isPolled = !source || source.readyState !== EventSource.OPEN || quiet > LOST_AFTER_MS;
  if (isPolled && since(asked) >= POLL_MS) {
    asked = now();
    poll();
  }
  loseIfQuiet();
}, 500);

document.querySelector(".unkept").remove(); // from here on the page is kept as the station is
// What the page came with is right, and is painted before anything else is done.
requestAnimationFrame(() => setTimeout(connect));
body.classList.toggle("not-live", !texts.trouble.hidden);

// Dialogs

for (const opener of document.querySelectorAll("[data-opens]")) {
  opener.addEventListener("click", () => document.getElementById(opener.dataset.opens).showModal());
}
for (const dialog of document.querySelectorAll("dialog:not(#officer)")) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-closes]")) dialog.close();
  });
}
