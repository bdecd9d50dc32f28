// What an asker wrote, with all that it holds made visible: what hides, reorders or pushes away is written out. The page
// does it as doorcode.asking.visible does for the chats, to the letter, which a test holds to.

const MOST_SPACES = 8;
const MOST_BLANK_LINES = 1;
const MOST_MARKS = 3;
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\uffa0\ufe00-\ufe0f\u{e0100}-\u{e01ef}\u27e8\u27e9]|(?! )\p{Zs}/u;
const MARK = /[\p{Mn}\p{Me}]/u;

/**
 * A text of several lines.
 * @param {string} text
 */
export function visible(text) {
  /** @type {string[]} */
  const shown = [];
  let blank = 0;
  const skipped = () => {
    shown.push(...(blank > MOST_BLANK_LINES ? [`⟨${blank} blank lines⟩`] : Array(blank).fill("")));
    blank = 0;
  };
  for (const line of text.split("\n")) {
    if (/^ *$/u.test(line)) {
      blank += 1;
    } else {
      skipped();
      shown.push(visibleLine(line));
    }
  }
  skipped();
  return shown.join("\n");
}

/**
 * A text as one line.
 * @param {string} text
 */
export function visibleLine(text) {
  let marks = 0;
  const shown = [...text].map((character, at) => {
    marks = MARK.test(character) ? marks + 1 : 0;
    const hidden = UNSEEN.test(character) || marks > MOST_MARKS || (marks && !at);
    return hidden ? `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩` : character;
  });
  return shown.join("").replace(/ +/gu, (run) => (run.length > MOST_SPACES ? `⟨${run.length} spaces⟩` : run));
}
