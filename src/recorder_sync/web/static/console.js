// What every page of the console does in the browser; each works without it, only less well.
"use strict";

const menu = document.querySelector(".menu-button");
if (menu) {
  menu.addEventListener("click", () => {
    const isOpen = document.body.classList.toggle("menu-open");
    menu.setAttribute("aria-expanded", String(isOpen));
  });
}

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

// A row of a table is as good as the link in it.
for (const row of document.querySelectorAll("tr[data-to]")) {
  row.addEventListener("click", (event) => {
    if (!event.target.closest("a, button, input, label, select") && !getSelection().toString()) {
      location.assign(row.dataset.to);
    }
  });
}
