// What every page of the console does in the browser; each works without it, only less well.
"use strict";

const menu = document.querySelector(".menu-button");
if (menu) {
  menu.addEventListener("click", () => {
    const isOpen = document.body.classList.toggle("menu-open");
    menu.setAttribute("aria-expanded", String(isOpen));
  });
}

// What lies over the page, the menu of a phone and that of the account, goes away with Escape and
// with a touch beside it; the focus goes back to what opened it.
function closeOver(isBeside) {
  const account = document.querySelector(".who[open]");
  if (account && isBeside(account)) {
    account.open = false;
    if (account.contains(document.activeElement)) account.querySelector("summary").focus();
  }
  const side = document.querySelector(".side");
  if (document.body.classList.contains("menu-open") && isBeside(side) && isBeside(menu)) {
    document.body.classList.remove("menu-open");
    menu.setAttribute("aria-expanded", "false");
    if (side.contains(document.activeElement)) menu.focus();
  }
}
document.addEventListener("click", (event) => closeOver((part) => !part.contains(event.target)));
document.addEventListener("keydown", (event) => event.key === "Escape" && closeOver(() => true));

// A dialog is opened by any button that names it, and closed by one within that says so.
for (const opener of document.querySelectorAll("[data-opens]")) {
  opener.addEventListener("click", () => document.getElementById(opener.dataset.opens).showModal());
}
for (const closer of document.querySelectorAll("dialog [data-closes]")) {
  closer.addEventListener("click", () => closer.closest("dialog").close());
}

// A form is sent once, however often somebody touches the button.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 4000);
  });
}

// A choice that takes effect at once, where the form says so.
for (const choice of document.querySelectorAll("form[data-at-once] select")) {
  choice.addEventListener("change", () => choice.form.requestSubmit());
}

// On a phone, the rows of a list stand below each other: each value says what it is (style.css).
for (const table of document.querySelectorAll(".scroll > table")) {
  const cells = [...(table.tHead?.rows[0]?.cells ?? [])];
  const headings = cells.map((cell) => cell.querySelector(".hidden") ? "" : cell.textContent.trim());
  if (headings.length < 3) continue;
  table.classList.add("rows");
  for (const row of table.tBodies[0]?.rows ?? []) {
    const areMany = row.querySelectorAll(".number").length > 3; // then a zero says nothing
    let isFirst = true;
    [...row.cells].forEach((cell, at) => {
      const text = cell.textContent.trim();
      if (cell.querySelector(".tick, .touch")) cell.classList.add("choice");
      else if (text === "—" || (text === "0" && areMany) || (!text && !cell.childElementCount)) cell.classList.add("no-value");
      else if (isFirst) {
        cell.classList.add("first");
        isFirst = false;
      } else if (headings[at]) {
        cell.dataset.heading = headings[at];
      }
    });
  }
}

// A row of a table is as good as the link in it.
for (const row of document.querySelectorAll("tr[data-to]")) {
  row.addEventListener("click", (event) => {
    if (!event.target.closest("a, button, input, label, select") && !getSelection().toString()) {
      location.assign(row.dataset.to);
    }
  });
}
