// The drawer of the dock screen: an officer says who they are, and adds something to their clips.
// It closes by itself a minute after the last touch.
"use strict";

const drawer = document.getElementById("officer");
const STAY_MS = 10000; // how often a touch is told to the server
let touched = now();
let stays = 60; // seconds after the last touch
let toldAt = { wall: 0, run: -STAY_MS };

function touch() {
  touched = now();
  stays = Number(drawer.querySelector("[data-idle]")?.dataset.idle ?? 60);
}

async function load(address, options = {}) {
  try {
    const answer = await fetch(address, { redirect: "manual", ...options });
    const isPiece = (answer.headers.get("content-type") ?? "").startsWith("text/html");
    if (!isPiece || answer.status >= 500 || answer.status === 403) throw new Error("no piece");
    drawer.innerHTML = await answer.text();
  } catch {
    const said = document.createElement("p");
    said.className = "told bad";
    said.textContent = drawer.dataset.failed;
    drawer.querySelector(".told")?.remove();
    (drawer.querySelector(".sheet") ?? drawer).prepend(said);
  }
  touch();
  const first = drawer.querySelector("[data-first=no]") ? "input[name=pin]" : "input[name=officer]";
  drawer.querySelector(`.identify ${first}`)?.focus();
  drawer.querySelector(".told")?.scrollIntoView({ block: "nearest" });
  showPictures();
}

// A picture is made in the background: it is asked for again until it is there.
function showPictures(after = 0) {
  for (const picture of drawer.querySelectorAll("img[data-picture]")) {
    setTimeout(async () => {
      const answer = await fetch(picture.dataset.picture).catch(() => null);
      if (answer?.ok) {
        const reader = new FileReader();
        reader.onload = () => { picture.src = reader.result; };
        reader.readAsDataURL(await answer.blob());
        picture.removeAttribute("data-picture");
      }
    }, after);
  }
}
setInterval(() => drawer.open && showPictures(), 4000);

async function leave() {
  if (!drawer.open) return;
  drawer.close();
  drawer.replaceChildren();
  await fetch("/dock/officer/leave", { method: "POST" }).catch(() => null);
}

document.querySelector(".ports").addEventListener("click", (event) => {
  const opener = event.target.closest("[data-docking]");
  if (!opener) return;
  drawer.replaceChildren();
  touch();
  drawer.showModal();
  load(`/dock/officer/${encodeURIComponent(opener.dataset.docking)}`);
});

function press(digit, place) {
  const fields = [...place.querySelectorAll("input")];
  const field = fields.find((one) => one === lastField) ?? fields.at(-1);
  if (digit === "clear") field.value = "";
  else if (digit === "back") field.value = field.value.slice(0, -1);
  else if (field.value.length < field.maxLength) field.value += digit;
  if (field.dataset.find === undefined) field.focus(); // a finder's keyboard is these keys
  else find(field);
}

// The cases that may be meant, anew with each key; an answer that comes late is left out.
let findings = 0;
async function find(field) {
  const finder = field.closest("[data-finder]");
  const number = ++findings;
  const answer = await fetch(`${finder.dataset.finder}?q=${encodeURIComponent(field.value)}`, { redirect: "manual" }).catch(() => null);
  if (number !== findings || !finder.isConnected) return;
  const isPiece = answer && (answer.status === 200 || answer.status === 401);
  const text = isPiece ? await answer.text() : "";
  if (number !== findings || !finder.isConnected) return;
  if (answer?.status === 401) drawer.innerHTML = text; // the minute is over
  else if (isPiece) finder.querySelector("[data-found]").innerHTML = text;
  else finder.querySelector("[data-found]").textContent = drawer.dataset.failed;
}
drawer.addEventListener("input", (event) => event.target.matches("[data-find]") && find(event.target));
drawer.addEventListener("toggle", (event) => {
  if (!event.target.matches("[data-finder][open]")) return;
  event.target.scrollIntoView({ block: "start" });
  find(event.target.querySelector("[data-find]"));
}, true);

let lastField = null;
drawer.addEventListener("focusin", (event) => {
  if (event.target.matches("input")) lastField = event.target;
});
drawer.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) {
    if (event.target === drawer) leave();
    return;
  }
  if (button.dataset.leaves !== undefined) leave();
  else if (button.dataset.digit) press(button.dataset.digit, button.closest(".identify, [data-finder]"));
  else if (button.dataset.officer) {
    drawer.querySelector("input[name=officer]").value = button.dataset.officer;
    drawer.querySelector("input[name=pin]").focus();
  } else if (button.dataset.all !== undefined) {
    const boxes = [...drawer.querySelectorAll(".clips input")];
    const isOn = boxes.some((box) => !box.checked);
    for (const box of boxes) box.checked = isOn;
  } else if (button.dataset.reason) {
    const text = button.closest("form").querySelector("textarea");
    text.value = text.value ? `${text.value}；${button.dataset.reason}` : button.dataset.reason;
  }
});
// A card reader types the number and Enter: the PIN is still to come.
drawer.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("[data-find]")) {
    event.preventDefault(); // it would choose the first case there is
    return;
  }
  const pin = drawer.querySelector(".identify input[name=pin]");
  if (event.key === "Enter" && event.target.name === "officer" && pin && !pin.value) {
    event.preventDefault();
    pin.focus();
  }
});
drawer.addEventListener("submit", (event) => {
  event.preventDefault();
  const button = event.submitter;
  const address = button?.hasAttribute("formaction") ? button.formAction : event.target.action;
  load(address, { method: "POST", body: new URLSearchParams(new FormData(event.target, button)) });
});
drawer.addEventListener("cancel", (event) => {
  event.preventDefault();
  leave();
});
for (const kind of ["pointerdown", "keydown"]) {
  drawer.addEventListener(kind, () => {
    touch();
    if (drawer.querySelector("[data-idle]") && since(toldAt) > STAY_MS) {
      toldAt = now();
      fetch("/dock/officer/stay", { method: "POST" }).catch(() => null);
    }
  });
}
setInterval(() => {
  if (!drawer.open) return;
  const left = Math.ceil(stays - since(touched) / 1000);
  const shown = drawer.querySelector("[data-left]");
  if (shown) {
    shown.textContent = Math.max(0, left);
    drawer.querySelector(".countdown progress").value = Math.max(0, left);
    drawer.querySelector(".countdown").classList.toggle("soon", left <= 15);
  }
  if (left <= 0) leave();
}, 500);
