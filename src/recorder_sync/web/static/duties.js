// Lists in which several are chosen, and parts of pages that renew themselves.
"use strict";

for (const form of document.querySelectorAll("form[data-several]")) {
  const all = form.querySelector("[data-all]");
  const boxes = [...form.querySelectorAll("input[name=number]")];
  const said = form.querySelector("[data-count]");
  const before = said ? said.textContent : "";
  const show = () => {
    const count = boxes.filter((box) => box.checked).length;
    if (said) {
      said.textContent = count ? said.dataset.count.replace("{count}", String(count)) : before;
    }
    for (const button of form.querySelectorAll(".several button")) {
      button.disabled = count === 0;
    }
    form.querySelector(".several")?.classList.toggle("chosen", count > 0);
    if (all) {
      all.checked = count > 0 && count === boxes.length;
      all.indeterminate = count > 0 && count < boxes.length;
    }
  };
  if (all) {
    all.addEventListener("change", () => {
      for (const box of boxes) {
        box.checked = all.checked;
      }
      show();
    });
  }
  form.addEventListener("change", show);
  show();
}

// A part that says where its newest state is: asked for quietly while somebody can see it, and
// put in place only where it differs. What somebody is typing or pointing at stays.
for (const part of document.querySelectorAll("[data-renews]")) {
  const every = Number(part.dataset.every) * 1000;
  let known = null;
  let timer = null;
  const renew = async () => {
    try {
      const answer = await fetch(part.dataset.renews, {
        headers: { "x-background": "yes" },
        redirect: "manual",
        cache: "no-store",
      });
      if (answer.type === "opaqueredirect") {
        location.reload();
        return;
      }
      if (answer.ok) {
        const text = await answer.text();
        if (text !== known && !part.contains(document.activeElement)) {
          part.innerHTML = text;
          known = text;
        }
        part.classList.remove("stale");
      } else {
        part.classList.add("stale");
      }
    } catch {
      part.classList.add("stale");
    }
  };
  const start = () => {
    clearInterval(timer);
    if (!document.hidden) {
      timer = setInterval(renew, every);
    }
  };
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) {
      renew();
    }
    start();
  });
  start();
}
