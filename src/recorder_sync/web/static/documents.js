// Documents of a case: the form that hands one in, and what waits to be sealed.
"use strict";

const handIn = document.querySelector("#hand-in form");
if (handIn) {
  const chosen = handIn.elements.file;
  const title = handIn.elements.title;
  const problem = handIn.querySelector("[data-problem]");
  chosen.addEventListener("change", () => {
    const file = chosen.files[0];
    const isTooLarge = Boolean(file) && file.size > Number(handIn.dataset.largest);
    chosen.setCustomValidity(isTooLarge ? handIn.dataset.tooLarge : "");
    problem.textContent = isTooLarge ? handIn.dataset.tooLarge : "";
    problem.hidden = !isTooLarge;
    if (file && !title.value) {
      title.value = file.name.replace(/\.[^.]*$/, "").slice(0, title.maxLength);
    }
  });
  handIn.addEventListener("submit", () => {
    handIn.querySelector("[data-sending]").hidden = false;
    for (const button of handIn.querySelectorAll("button")) {
      button.disabled = true;
    }
  });
  // A page that is gone back to shows the form as it was sent.
  addEventListener("pageshow", () => {
    handIn.querySelector("[data-sending]").hidden = true;
    for (const button of handIn.querySelectorAll("button")) {
      button.disabled = false;
    }
  });
}

// What is said of a document now stands at the button that opens its correction.
const correction = document.querySelector("#correct-document form");
document.getElementById("documents")?.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-corrects]");
  if (!opener || !correction) {
    return;
  }
  correction.action = `/documents/${encodeURIComponent(opener.dataset.corrects)}/correction`;
  for (const name of ["title", "kind", "number", "item", "stage"]) {
    correction.elements.namedItem(name).value = opener.dataset[name];
  }
  const item = correction.elements.namedItem("item");
  if (item.value !== opener.dataset.item) { // one that the settings name no more
    item.add(new Option(opener.dataset.item, opener.dataset.item, true, true));
  }
  correction.elements.reason.value = "";
  correction.closest("dialog").showModal();
});

// What waits is asked for again until it is sealed.
const EVERY_MS = 2000;
async function lookAgain() {
  const panel = document.getElementById("documents");
  if (!panel || !("waiting" in panel.dataset)) {
    return;
  }
  try {
    const answer = await fetch(location.href, { headers: { "x-background": "yes" } });
    if (answer.ok && !answer.redirected) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.getElementById("documents");
      if (now && !panel.querySelector("details[open]")) {
        panel.replaceChildren(...now.childNodes);
        now.hasAttribute("data-waiting") || panel.removeAttribute("data-waiting");
        for (const opener of panel.querySelectorAll("[data-opens]")) {
          opener.addEventListener("click", () => document.getElementById(opener.dataset.opens).showModal());
        }
      }
    }
  } catch {
    // the server is away just now; the next look may find it
  }
  setTimeout(lookAgain, EVERY_MS);
}
setTimeout(lookAgain, EVERY_MS);
