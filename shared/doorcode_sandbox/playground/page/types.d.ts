// What the scripts of this page hand to each other. The sandbox writes the scene (drawing.py), what lies behind the door
// (inside.py, bus.py) and the webhooks (deliveries.py); times are ISO 8601 in UTC.

export interface Scene {
  version: number;
  // How the command is called here, and the option by which it finds this sandbox.
  program: string;
  where: string;
  platforms: Platform[];
  people: Person[];
  chats: Chat[];
}

export interface Platform {
  name: string;
  bot: string;
  handle: string;
  // Nobody is played there.
  real: boolean;
}

export type Role = "stranger" | "owner";

export interface Person {
  platform: string;
  id: string;
  name: string;
  username: string;
  role: Role;
}

export interface Chat {
  platform: string;
  id: string;
  kind: "direct" | "group";
  title: string;
  // Ids of people: in a direct chat, of the one person.
  members: string[];
  messages: Message[];
  notes: Note[];
}

export interface Message {
  id: string;
  // A person's id, or `bot`.
  from: string;
  at: string;
  edited: boolean;
  deferred: boolean;
  only_for: string | null;
  // The fields of the platform's own API.
  shown: Record<string, any>;
  // The call that made it; empty for what people say.
  call: string;
  buttons: Button[][];
  // The webhook that it became.
  delivery: string | null;
}

export interface Button {
  // Empty for a link.
  id: string;
  text: string;
  style: string;
  // The label of the field whose words it sends; empty where it is only pressed.
  asks: string;
}

export interface Note {
  to: string;
  text: string;
  alert: boolean;
  at: string;
}

export interface Inside {
  items: Item[];
  conversations: Conversation[];
  events: Published[];
  log: Line[];
}

/** What the agent was given and what it answered, in one conversation. */
export interface Conversation {
  conversation: string;
  until: number;
  turns: { role: "user" | "assistant"; text: string }[];
}

export interface Item {
  pk: string;
  sk: string;
  [attribute: string]: any;
}

export interface Published {
  at: string;
  "detail-type": string;
  detail: Record<string, any>;
}

export interface Line {
  at: string;
  function: string;
  level: string;
  message: string;
  reason: string;
  [field: string]: any;
}

export interface Delivery {
  id: string;
  platform: string;
  path: string;
  at: string;
  status: number;
  // How long the answer took, in milliseconds.
  ms: number;
  signature: { kind: string; fits: boolean };
  again_of: string | null;
  headers: Record<string, string>;
  body: unknown;
  answer: unknown;
  log: { level: string; message: string; reason: string }[];
}

// What `h` takes as a child: nothing is made of what is false, null or undefined.
export type Child = Node | string | false | null | undefined | Child[];

// What `keyed` takes: drawn again when its version is another one.
export interface Entry {
  key: string;
  version: string;
  draw: () => HTMLElement;
}

// What is known where a text is drawn: what somebody is called, empty where it is not known.
export interface Context {
  names?: (id: string) => string;
}

// What a pattern found: all of it, then its groups, of which no pattern here has more than two.
export type Groups = readonly [all: string, first: string, second: string];

// A pattern and what is drawn for it; `inner` draws markup inside of markup.
export type Rule = [pattern: RegExp, draw: (groups: Groups, inner: (text: string) => Child[], context: Context) => Child];

// The parts of a message that look the same on every platform.
export interface Tools {
  button: (one: Button) => HTMLElement;
  byline: HTMLElement;
  foot: HTMLElement;
  names: (id: string) => string;
  bot: string;
}

export type Draw = (message: Message, tools: Tools) => Child[];

// What a platform's own script exports.
export interface Look {
  TITLE: string;
  // What stands in an empty composer, before the name of whoever writes.
  PLACEHOLDER: string;
  // What proves that a webhook comes from the platform.
  PROOF: string;
  // The bot's id, where people can name it.
  BOT_ID?: string;
  // The one command that a bot hears, where it hears nothing else.
  COMMAND?: { name: string; option: string };
  // The line under what one person alone sees.
  alone?: (who: string) => string;
  // What a message says, where that stands elsewhere than in `text` or `content`.
  textOf?: (shown: Record<string, any>) => string;
  draw: Draw;
}
