// Small additions to pages that work without them: announcements, focus after a swap, one submit per form, a dialog, tidy addresses.
"use strict";

let said = "";
const say = (text) => {
  const status = document.getElementById("status");
  status.textContent = "";
  requestAnimationFrame(() => { status.textContent = text; });
};

const toast = (text) => {
  const box = document.createElement("div");
  box.className = "toast";
  const words = document.createElement("p");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.setAttribute("aria-label", "Close this message");
  close.textContent = "✕";
  close.addEventListener("click", () => box.remove());
  box.append(words, close);
  document.getElementById("toasts").replaceChildren(box);
};

// One submit per form: the server answers a repeat in the same way, this only keeps the button from inviting it.
const release = () => document.querySelectorAll("[aria-busy=true]").forEach((button) => button.removeAttribute("aria-busy"));
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || event.target.method !== "post") return;
  if (button.getAttribute("aria-busy") === "true") event.preventDefault();
  button.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", release);
document.addEventListener("htmx:afterRequest", release);

// A search answers while one types. Leaving its box asks nothing again: the answer would swap away what was just clicked.
document.addEventListener("change", (event) => {
  if (event.target.type === "search") event.stopPropagation();
}, true);

// One box ticks every row of a form.
document.addEventListener("change", (event) => {
  const form = event.target.dataset.checkAll;
  if (form) document.querySelectorAll(`input[type=checkbox][form="${form}"]`).forEach((box) => { box.checked = event.target.checked; });
});

// Filters: an empty field says nothing in the address.
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get" || !event.target.matches("form, form *")) return;
  const sent = event.detail.parameters;
  for (const name of Object.keys(sent)) if (sent[name] === "") delete sent[name];
});

// A session that ended answers with the sign-in page: show it whole, not inside a table.
let held = false; // whether the part that goes away holds the focus
document.addEventListener("htmx:beforeSwap", (event) => {
  held = event.detail.target.contains(document.activeElement);
  const url = event.detail.xhr.responseURL;
  if (url && new URL(url).pathname.startsWith("/accounts/") && !location.pathname.startsWith("/accounts/")) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});

// After a swap: say what changed, open the dialog that was filled, move focus where the new part asks for it.
document.addEventListener("htmx:afterSettle", (event) => {
  const part = event.detail.elt;
  if (part.id === "dialog-body" || part.closest("#dialog")) {
    const dialog = document.getElementById("dialog");
    if (!dialog.open) dialog.showModal();
  }
  const words = part.matches("[data-announce]") ? part : part.querySelector("[data-announce]");
  if (words && words.dataset.announce !== said) say(said = words.dataset.announce);
  const target = part.querySelector("[aria-invalid=true]") || part.querySelector("[data-focus]");
  const typing = document.activeElement && document.activeElement.closest(".filters");
  if (target && !typing) target.focus();
  else if (held && document.activeElement === document.body) {
    part.tabIndex = -1;
    part.focus({ preventScroll: true });
  }
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]")) {
    const dialog = event.target.closest("dialog");
    if (dialog) { event.preventDefault(); dialog.close(); }
  }
});
document.addEventListener("keydown", (event) => {
  const menu = document.querySelector(".menu[open]");
  if (event.key === "Escape" && menu) { menu.open = false; menu.querySelector("summary").focus(); }
});

document.addEventListener("htmx:sendError", () => toast("The portal cannot be reached. What you typed is still here; try again in a moment."));
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  toast(status === 403 ? "Your role does not allow this." : status === 404 ? "This is not there any more. Reload the page."
    : "Something went wrong on our side, and it was noted. Nothing was changed twice; try again.");
});
