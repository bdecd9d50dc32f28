// Where a person types. Where a bot hears only its command, what is typed becomes that command's option.

import { h } from "./dom.js";
import { PLATFORMS } from "./platforms.js";

/**
 * A composer: `send({text, mention})` is awaited, and what could not be sent is put back.
 * @param {string} label
 * @param {(said: {text: string, mention: boolean}) => Promise<boolean>} send gives whether it was sent
 */
export function composer(label, send) {
  const text = h("textarea", { rows: 1, "aria-label": label, maxlength: 4000, onkeydown: key, oninput: grow });
  const command = h("span", { class: "slash", "aria-hidden": "true" });
  const mention = h("input", { type: "checkbox" });
  const named = h("span");
  const mentions = h("label", { class: "mentions" }, mention, named);
  const submit = h("button", { type: "submit", class: "send" }, "Send");
  const element = h("form", { class: "composer", onsubmit: go }, mentions, h("div", { class: "line" }, command, text, submit));

  /** @param {KeyboardEvent} event */
  function key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    element.requestSubmit();
  }

  function grow() {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight, 120)}px`;
  }

  /** @param {Event} event */
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

  /**
   * Fit it to who types where. A chat of the real platform is not written to from here.
   * @param {{platform: string, person: string, group: boolean, handle: string, real: boolean}} place
   */
  function update({ platform, person, group, handle, real }) {
    const look = PLATFORMS[platform];
    const only = look?.COMMAND;
    command.hidden = !only;
    if (only) command.replaceChildren(`${only.name} `, h("b", {}, only.option));
    mentions.hidden = !group || Boolean(only);
    named.textContent = `mention ${handle}`;
    text.placeholder = real ? "Connected to the real platform: write there" : `${look?.PLACEHOLDER ?? "as"} ${person}`;
    text.readOnly = real || !person;
    submit.disabled = text.readOnly;
  }

  return { element, update, focus: () => text.focus() };
}
