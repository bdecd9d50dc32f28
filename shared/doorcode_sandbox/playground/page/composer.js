// Where a person types. Where a bot hears only its command, what is typed becomes that command's option.

import { h } from "./dom.js";
import { PLATFORMS } from "./platforms.js";

/** A composer: `send({text, mention})` is awaited, and what could not be sent is put back. */
export function composer(label, send) {
  const text = h("textarea", { rows: 1, "aria-label": label, maxlength: 4000, onkeydown: key, oninput: grow });
  const command = h("span", { class: "slash", "aria-hidden": "true" });
  const mention = h("input", { type: "checkbox" });
  const named = h("span");
  const mentions = h("label", { class: "mentions" }, mention, named);
  const submit = h("button", { type: "submit", class: "send" }, "Send");
  const element = h("form", { class: "composer", onsubmit: go }, mentions, h("div", { class: "line" }, command, text, submit));

  function key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    element.requestSubmit();
  }

  function grow() {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight, 120)}px`;
  }

  async function go(event) {
    event.preventDefault();
    const typed = text.value;
    if (!typed.trim() || text.readOnly) return;
    text.value = "";
    grow();
    if (!(await send({ text: typed, mention: !mentions.hidden && mention.checked })) && !text.value) {
      text.value = typed;
      grow();
    }
  }

  /** Fit it to who types where. A chat of the real platform is not written to from here. */
  function update({ platform, person, group, handle, real }) {
    const { COMMAND, PLACEHOLDER = "as" } = PLATFORMS[platform] ?? {};
    command.hidden = !COMMAND;
    if (COMMAND) command.replaceChildren(`${COMMAND.name} `, h("b", {}, COMMAND.option));
    mentions.hidden = !group || Boolean(COMMAND);
    named.textContent = `mention ${handle}`;
    text.placeholder = real ? "Connected to the real platform: write there" : `${PLACEHOLDER} ${person}`;
    text.readOnly = Boolean(real) || !person;
    submit.disabled = text.readOnly;
  }

  return { element, update, focus: () => text.focus() };
}
