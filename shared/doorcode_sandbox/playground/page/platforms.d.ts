// The script that the sandbox makes of the platforms' own ones: see page_files.py.

import type { Look } from "./types.js";

export const PLATFORMS: Readonly<Record<string, Look>>;
