// The owner's page: who waits, who is paired, who is blocked. Here its parts are put together.

import { Activity } from "./activity.js";
import { announce, hush } from "./announcer.js";
import { ApiError, nowSignedIn, whenSignedOut } from "./api.js";
import { confirmed, dismiss } from "./confirm.js";
import * as curtain from "./curtain.js";
import { adding, blocking } from "./byhand.js";
import { byId, write } from "./elements.js";
import { Invites } from "./invites.js";
import { Owners } from "./owners.js";
import { People } from "./people.js";
import { ACTIONS } from "./person.js";
import { offerPlatforms } from "./platforms.js";
import { Poller } from "./poller.js";
import { Questions } from "./questions.js";
import { RevokeAll } from "./revokeall.js";
import * as session from "./session.js";
import { goTo, startTabs } from "./tabs.js";
import { WaitingRoom } from "./waiting.js";

const WAITING_SECONDS = 3;
const QUESTIONS_SECONDS = 5;
const PEOPLE_SECONDS = 15;
const ACTIVITY_SECONDS = 300;
const ACCESS_SECONDS = 60;
// What stands around the page of somebody who is signed in.
const AROUND = ["account", "live", "skip", "tabs", "foot"];

// Windows of the same browser share the session: what one of them does to it, the others look at.
const windows = new BroadcastChannel("doorcode");

const waiting = new WaitingRoom({ changed: () => listPoller.soon() });
const paired = new People("paired", [ACTIONS.revoke, ACTIONS.block], { changed: () => listPoller.soon(), shown: (count) => revokeAll.show(count, paired.mayDecide) });
const blocked = new People("blocked", [ACTIONS.unblock], { changed: () => listPoller.soon() });
const questions = new Questions({ changed: () => questionsPoller.soon() });
const activity = new Activity();
const invites = new Invites({ changed: () => accessPoller.soon() });
const owners = new Owners({ changed: () => accessPoller.soon() });
const drawers = { add: adding(() => listPoller.soon()), block: blocking(() => listPoller.soon()), invite: invites.drawer };
const revokeAll = new RevokeAll({ platforms: () => platforms, narrowed: () => paired.platform, changed: () => listPoller.soon() });

const waitingPoller = new Poller(() => waiting.refresh(), WAITING_SECONDS, { trouble: showTrouble, well: showWell });
const listPoller = new Poller(
  async () => {
    await Promise.all([paired.refresh(), blocked.refresh()]);
    paired.note("");
    blocked.note("");
    // What is looked at more rarely is read after what everybody came for.
    if (listPoller.running && !accessPoller.running) {
      questionsPoller.start();
      accessPoller.start();
    }
  },
  PEOPLE_SECONDS,
  {
    trouble: () => {
      paired.note("This list may be out of date.");
      blocked.note("This list may be out of date.");
    },
  },
);
const activityPoller = new Poller(() => activity.refresh(), ACTIVITY_SECONDS, { trouble: () => activity.missing() });
// One after the other: each question that is asked beside others takes one of the functions that may run at once.
const accessPoller = new Poller(
  async () => {
    await invites.refresh();
    await owners.refresh();
  },
  ACCESS_SECONDS,
  { trouble: () => [invites, owners].forEach(({ list }) => list.missing()) },
);
const questionsPoller = new Poller(() => questions.refresh(), QUESTIONS_SECONDS, { trouble: () => questions.missing() });
const pollers = [waitingPoller, listPoller, questionsPoller, accessPoller, activityPoller];

/** @type {string[]} those from which people can write */
let platforms = [];

/** @type {string} whose page this is, so that another's is not mixed into it */
let shownTo = "";

/** A link's token that nobody has answered for yet: it stands nowhere else any more. */
let unspent = "";

/**
 * Sign in with the address's token if there is one, else with the session that this browser has.
 * @param {"none" | "over"} otherwise what to say where there is neither
 */
async function enter(otherwise) {
  const token = session.takeToken() || unspent;
  unspent = "";
  try {
    if (token) {
      show(await session.signIn(token));
      windows.postMessage("signed in");
    } else {
      show(await session.current());
    }
  } catch (error) {
    const status = error instanceof ApiError ? error.status : -1;
    if (status === -1) {
      throw error;
    }
    if (token && status === 401) {
      await enterWithSpentLink();
    } else {
      unspent = token;
      leave(status === 401 ? otherwise : "unreachable");
    }
  }
}

/** A link that does not work any more ends no session that does. */
async function enterWithSpentLink() {
  try {
    show(await session.current());
  } catch {
    leave("spent");
  }
}

/** @param {session.Session} who */
function show(who) {
  nowSignedIn();
  const identity = `${who.actor} ${who.scope}`;
  if (shownTo && shownTo !== identity) {
    forget();
  }
  shownTo = identity;
  for (const part of [waiting, questions, paired, blocked]) {
    part.mayDecide = who.scope === "pairing";
  }
  invites.decides = owners.decides = who.scope === "pairing";
  drawers.add.offer(who.scope === "pairing");
  drawers.block.offer(who.scope === "pairing");
  platforms = who.platforms;
  offerPlatforms(platforms);
  write(byId("actor"), who.actor);
  for (const id of AROUND) {
    byId(id).hidden = false;
  }
  curtain.lift();
  [waitingPoller, listPoller, activityPoller].forEach((poller) => poller.start());
}

/**
 * @param {Parameters<typeof curtain.raise>[0]} why
 * @param {string} [more]
 */
function leave(why, more) {
  pollers.forEach((poller) => poller.stop());
  dismiss();
  hush();
  byId("trouble").hidden = true;
  curtain.raise(why, more);
}

/** Take everything off the page: whoever looks at it next is somebody else. */
function forget() {
  shownTo = "";
  [waiting, questions, paired, blocked, activity, invites, owners, drawers.add, drawers.block].forEach((part) => part.clear());
  for (const id of ["page", ...AROUND]) {
    byId(id).hidden = true;
  }
}

/**
 * @param {unknown} error
 * @param {number} wait in seconds
 */
function showTrouble(error, wait) {
  const status = error instanceof ApiError ? error.status : reportError(error);
  const what = status === 0 ? "Doorcode does not answer." : status === 429 ? "Too many requests." : "Doorcode has trouble.";
  if (byId("trouble").hidden) {
    announce(`${what} What you see may be out of date.`);
  }
  byId("trouble").hidden = false;
  byId("live").classList.add("waits");
  write(byId("live-text"), "Waiting");
  write(byId("trouble-text"), `${what} What you see may be out of date. Next try in ${Math.round(wait)} seconds.`);
}

function showWell() {
  if (!byId("trouble").hidden) {
    announce("Doorcode answers again.");
  }
  byId("trouble").hidden = true;
  byId("live").classList.remove("waits");
  write(byId("live-text"), "Live");
}

/** @param {() => Promise<string | undefined>} end gives what to say */
async function signOut(end) {
  try {
    const more = await end();
    forget();
    leave("left", more);
    windows.postMessage("signed out");
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    // The answer about a session that is over has raised the notice already.
    if (error.status !== 401 || !curtain.raised()) {
      byId("trouble").hidden = false;
      write(byId("trouble-text"), "You are still signed in: Doorcode did not answer.");
    }
  }
}

byId("sign-out").addEventListener("click", () =>
  signOut(async () => {
    await session.signOut();
    return undefined;
  }),
);
byId("sign-out-everywhere").addEventListener("click", async () => {
  const sure = await confirmed({
    title: "Sign out everywhere?",
    text: "This ends every session of this page, whoever's it is, and every link that has not been used. Tokens for programs keep working.",
    yes: "Sign out everywhere",
  });
  if (sure) {
    await signOut(async () => {
      const { signed_out: count } = await session.signOutEverywhere();
      return `Everywhere: ${count} ${count === 1 ? "session or link" : "sessions and links"} ended.`;
    });
  }
});
byId("curtain-again").addEventListener("click", () => enter(byId("page").hidden ? "none" : "over"));
byId("try-now").addEventListener("click", () => waitingPoller.soon());
whenSignedOut(() => leave("over"));
windows.addEventListener("message", () => (curtain.raised() ? enter(byId("page").hidden ? "none" : "over") : pollers.forEach((poller) => poller.soon())));
// A link pasted into this very window changes no more than the fragment.
for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("a[data-opens]"))) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    goTo(new URL(link.href).hash);
    drawers[/** @type {keyof typeof drawers} */ (link.dataset.opens)].open();
  });
}
startTabs();
addEventListener("hashchange", () => location.hash.startsWith("#token=") && enter("none"));

await enter("none");
