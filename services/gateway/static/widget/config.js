/** The page on which an operator tries a web chat and copies its code. Values only ever become attributes and text. */

const form = document.getElementById("settings");
const code = document.getElementById("code");
const copied = document.getElementById("copied");
const widget = document.createElement("webchat-widget");
const ALWAYS = ["agent-id", "primary-color", "secondary-color"];

/** A value as it stands between double quotes. @param {string} text */
const escaped = (text) => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** What was chosen, in the form's order: attribute and value. @returns {[string, string][]} */
const chosen = () =>
  [...new FormData(form)]
    .map(([name, value]) => /** @type {[string, string]} */ ([name, String(value).trim()]))
    .filter(([name, value]) => value || ALWAYS.includes(name));

const show = () => {
  const attributes = chosen();
  for (const name of [...widget.getAttributeNames()]) {
    if (form.elements.namedItem(name) && !attributes.some(([kept]) => kept === name)) widget.removeAttribute(name);
  }
  for (const [name, value] of attributes) widget.setAttribute(name, value);
  const lines = attributes.map(([name, value]) => `  ${name}="${escaped(value)}"`).join("\n");
  const script = new URL("widget.js", location.href).href;
  code.textContent = `<webchat-widget\n${lines}>\n</webchat-widget>\n<script src="${escaped(script)}" async></script>`;
  copied.textContent = "";
};

const given = new URLSearchParams(location.search);
for (const field of form.elements) {
  const value = given.get(field.name.replace(/-/g, "_"));
  if (value !== null) field.value = value;
}
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(code.textContent);
    copied.textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren(code); // without permission: one keystroke away
    copied.textContent = "Selected: copy it with your keyboard.";
  }
});
show();
document.body.append(widget);
