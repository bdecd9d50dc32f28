// The playground: brings together what the sandbox tells, the six chats, the guide and the view behind the door.

import { BackendError, follow, getDeliveries, getInside, getScene, oneAtATime } from "./backend.js";
import { command, h, say } from "./dom.js";
import { door } from "./door.js";
import { guide } from "./guide.js";
import { pane } from "./pane.js";
import { PLATFORMS } from "./platforms.js";
import { tabs } from "./tabs.js";
import { World } from "./world.js";

// While the view behind the door is open: the table and the log change without a message being sent, too.
const LOOK_MS = 2000;
// The log comes a little later than what was logged, on a busy machine much later: it is looked for ever more rarely, for a minute and a half.
const LATER_MS = 1500;
const LATEST_MS = 48_000;
const DOOR = "doorcode-door";

const world = new World();
const status = byId("status");
const stopped = byId("stopped");
const doorSwitch = byId("door-switch");
const steps = guide(byId("guide"), world);
const behind = door(byId("door"), world, { opened: opened, closed: closed });
const panels = byId("panels");
/** @type {Map<string, Record<import("./types.js").Role, ReturnType<typeof pane>>>} by the platform's name */
const platforms = new Map();
/** @type {Map<string, number>} how many answers were seen, by the platform's name */
const read = new Map();
let current = "";
/** @type {ReturnType<typeof tabs> | null} */
let choice = null;

/**
 * The element with that id, which the page has.
 * @param {string} id
 */
function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

doorSwitch.addEventListener("click", () => behind.toggle());

/** @param {"live" | "lost"} state */
function connection(state) {
  status.dataset.state = state;
  say(status, { live: "Live", lost: "Stopped" }[state]);
  stopped.hidden = state === "live";
  say(stopped, state === "live" ? "" : "The sandbox has stopped. Start it again with “make run”: this page comes back by itself.");
}

/** Make the tabs once the scene has told which platforms there are. */
function build() {
  byId("sign-in").append(command(`${world.scene.program} web ${world.scene.where}`));
  const names = world.scene.platforms.map((platform) => platform.name);
  const entries = names.map((name) => {
    const tools = { inspect: behind.inspect, changed: refresh };
    const stranger = pane(world, name, "stranger", tools);
    const owner = pane(world, name, "owner", tools);
    platforms.set(name, { stranger, owner });
    return { id: name, title: PLATFORMS[name]?.TITLE ?? name, panel: h("div", { class: "pair", id: `panel-${name}`, data: { platform: name } }, stranger.element, owner.element) };
  });
  panels.replaceChildren(...entries.map((entry) => entry.panel));
  choice = tabs(byId("platforms"), entries, (name) => {
    current = name;
    history.replaceState(null, "", `#${name}`);
    for (const one of Object.values(platforms.get(name) ?? {})) {
      one.update();
      one.restart();
    }
    update();
  });
  const wanted = location.hash.slice(1);
  choice.show(platforms.has(wanted) ? wanted : (names[0] ?? ""));
}

// A dot on the tab of a platform where the bot said something meanwhile.
function mark() {
  for (const name of platforms.keys()) {
    const answers = world.answers(name);
    if (name === current || !read.has(name)) read.set(name, answers);
    choice?.mark(name, answers > (read.get(name) ?? 0));
  }
}

function update() {
  steps.update();
  mark();
  for (const one of Object.values(platforms.get(current) ?? {})) one.update();
  behind.update(platforms.get(current)?.stranger.person());
}

const lookInside = oneAtATime(async () => {
  try {
    world.inside = await getInside();
    world.deliveries = (await getDeliveries()).deliveries;
    update();
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
  }
});

const refresh = oneAtATime(async () => {
  try {
    world.scene = await getScene();
  } catch (error) {
    if (error instanceof BackendError && error.gone) return;
    throw error;
  }
  if (!platforms.size && world.scene.platforms.length) build();
  update();
  lookInside(); // not awaited: the chats do not wait for the table
  lookLater(LATER_MS);
});

/** @param {number} ms */
function lookLater(ms) {
  clearTimeout(later);
  later = setTimeout(async () => {
    await lookInside();
    if (ms < LATEST_MS && world.deliveries.some((delivery) => !delivery.log.length)) lookLater(2 * ms);
  }, ms);
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let later;
/** @type {ReturnType<typeof setInterval> | undefined} */
let looking;

function opened() {
  doorSwitch.setAttribute("aria-expanded", "true");
  sessionStorage.setItem(DOOR, "open");
  clearInterval(looking);
  looking = setInterval(() => document.hidden || lookInside(), LOOK_MS);
  lookInside();
}

function closed() {
  doorSwitch.setAttribute("aria-expanded", "false");
  sessionStorage.removeItem(DOOR);
  clearInterval(looking);
  doorSwitch.focus();
}

if (sessionStorage.getItem(DOOR)) behind.toggle(true, false);
follow({ changed: refresh, connected: () => connection("live"), lost: () => connection("lost") });
