// What the pages of recordings do in the browser: wait for pictures, seek, and fill in the moment.
"use strict";

const POLL_MS = 1500;

async function asked(address) {
  const answer = await fetch(address, { headers: { accept: "application/json" } });
  return answer.ok ? answer.json() : null;
}

// Pictures that are being made take the place of the plain ones when they are ready.
async function waitForThumbnails() {
  const waiting = [...document.querySelectorAll("[data-thumbnail]")].filter((one) => one.dataset.thumbnail);
  if (!waiting.length || document.hidden) {
    if (waiting.length) setTimeout(waitForThumbnails, POLL_MS);
    return;
  }
  const query = waiting.map((one) => `thumbnails=${encodeURIComponent(one.dataset.thumbnail)}`).join("&");
  const found = await asked(`/recordings-being-made?${query}`);
  for (const one of found ? waiting : []) {
    const state = found.thumbnails[one.dataset.thumbnail];
    if (state === "ready") {
      const picture = document.createElement("img");
      picture.className = "thumb";
      picture.alt = "";
      picture.src = `/recordings/${one.dataset.thumbnail}/thumbnail`;
      one.replaceWith(picture);
    } else if (state !== "missing") {
      one.dataset.thumbnail = "";
      one.lastElementChild.textContent = one.dataset.failed;
    }
  }
  setTimeout(waitForThumbnails, POLL_MS);
}
waitForThumbnails();

// A preview that is being made: how far it is, and then the page with it.
const making = document.querySelector("[data-making]");
async function waitForPreview() {
  const found = await asked(`/recordings-being-made?preview=${encodeURIComponent(making.dataset.making)}`);
  if (found && found.preview && found.preview.state !== "missing") {
    location.reload();
    return;
  }
  if (found && found.preview && found.preview.share !== null) {
    making.querySelector("progress").value = found.preview.share;
  }
  setTimeout(waitForPreview, POLL_MS);
}
if (making) waitForPreview();

// A check under way.
const checking = document.querySelector("[data-checking]");
async function waitForCheck() {
  const found = await asked(`${location.pathname}/check`);
  if (found && found.state !== "under way") {
    location.reload();
    return;
  }
  if (found && found.share !== null) checking.querySelector("progress").value = found.share;
  setTimeout(waitForCheck, POLL_MS / 3);
}
if (checking) waitForCheck();

// The player, its time bar and its bookmarks.
const player = document.querySelector("[data-player]");
const bar = document.querySelector("[data-bar]");
if (player) {
  const seek = (second) => {
    const go = () => {
      player.currentTime = second;
    };
    if (player.readyState >= 1) go();
    else {
      player.addEventListener("loadedmetadata", go, { once: true });
      player.load();
      player.preload = "metadata";
    }
    player.play();
  };
  for (const one of document.querySelectorAll("[data-seek]")) {
    one.addEventListener("click", (event) => {
      event.preventDefault();
      event.stopPropagation();
      seek(Number(one.dataset.seek));
    });
  }
  if (bar) {
    const length = Number(bar.dataset.length);
    player.addEventListener("timeupdate", () => {
      const at = Math.min(1000, (1000 * player.currentTime) / length);
      bar.querySelector(".played").setAttribute("width", at.toFixed(1));
      bar.querySelector(".head").setAttribute("x", (at - 2).toFixed(1));
    });
    bar.addEventListener("click", (event) => {
      const box = bar.getBoundingClientRect();
      seek(Math.max(0, Math.min(length, ((event.clientX - box.left) / box.width) * length)));
    });
  }
  for (const opener of document.querySelectorAll("[data-bookmark-here]")) {
    opener.addEventListener("click", () => {
      player.pause();
      document.getElementById("f-second").value = (Math.floor(player.currentTime * 1000) / 1000).toString();
    });
  }
}

// The track within a film: it comes when it is made, and a dot moves along it with the player.
const OLD_S = 30; // a position so many seconds ago says nothing of now
function follow(svg) {
  if (!player || !svg) return;
  const points = JSON.parse(svg.dataset.points);
  const dot = svg.querySelector("[data-now]");
  const words = svg.parentElement.querySelector("[data-now-words]");
  const show = () => {
    const now = player.currentTime;
    const next = points.findIndex(([second]) => second > now);
    const point = points.at(next === -1 ? -1 : next - 1);
    const isKnown = next !== 0 && now - point[0] <= OLD_S;
    dot.setAttribute("visibility", isKnown ? "visible" : "hidden");
    words.textContent = isKnown ? `${point[3]}, ${point[4]}` : words.dataset.unknown;
    if (!isKnown) return;
    dot.setAttribute("cx", point[1]);
    dot.setAttribute("cy", point[2]);
  };
  for (const event of ["timeupdate", "seeking"]) player.addEventListener(event, show);
  show();
}
const tracked = document.querySelector("[data-track]");
async function waitForTrack() {
  const found = await asked(`/recordings-being-made?track=${encodeURIComponent(tracked.dataset.track)}`);
  if (found && found.track === "ready") {
    const answer = await fetch(`/recordings/${tracked.dataset.track}/track`);
    if (!answer.ok) return;
    tracked.innerHTML = await answer.text();
    tracked.closest("section").hidden = false;
    follow(tracked.querySelector("svg.track"));
  } else if (!found || found.track === "missing") {
    setTimeout(waitForTrack, POLL_MS);
  }
}
if (tracked) {
  follow(tracked.querySelector("svg.track"));
  if (tracked.dataset.track) waitForTrack();
}

// A copy is downloaded, and the page stays: the dialog is closed when it was asked for.
for (const form of document.querySelectorAll("form[data-closes-dialog]")) {
  form.addEventListener("submit", () => form.closest("dialog").close());
}

// Which recordings are ticked, to be copied together: how many, and all or none of the page.
const copy = document.querySelector("[data-copy]");
if (copy) {
  const boxes = [...document.querySelectorAll("input[name=ids][form=copy]")];
  const choosing = document.querySelector("[data-choosing]");
  const [all, none] = choosing.querySelectorAll("button");
  const count = copy.querySelector("[data-count]");
  const showChosen = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    copy.hidden = chosen === 0;
    count.textContent = count.dataset.count.replace("{count}", chosen);
    all.hidden = chosen === boxes.length;
    none.hidden = chosen === 0;
  };
  const choose = (isOn) => {
    for (const box of boxes) box.checked = isOn;
    showChosen();
  };
  choosing.hidden = false;
  all.addEventListener("click", () => choose(true));
  none.addEventListener("click", () => choose(false));
  for (const box of boxes) box.addEventListener("change", showChosen);
  addEventListener("pageshow", showChosen);
  showChosen();
}
