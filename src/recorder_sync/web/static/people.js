// The one-time link is copied by a button, where the browser can.
"use strict";

for (const button of document.querySelectorAll("[data-copies]")) {
  if (navigator.clipboard) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
      button.querySelector("span").textContent = button.dataset.copied;
    });
  }
}
