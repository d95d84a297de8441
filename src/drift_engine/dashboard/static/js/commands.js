// Everything that asks the server to do something goes through here: unlock where needed, say what came of it.

import { ApiError, post } from "./api.js";
import { askToken } from "./dialog.js";
import { changed, store } from "./store.js";
import { toast } from "./toasts.js";

/** Take the lock's state as the server tells it. */
export function setLocked(locked) {
  store.locked = locked;
  document.body.dataset.locked = locked ? "yes" : "no";
  changed();
}

async function tryToken(token) {
  try {
    await post("/api/unlock", { token });
    setLocked(false);
    return "";
  } catch (error) {
    return error.message;
  }
}

/** Ask for the token until it is right or the person gives up. */
export async function unlock(why = "") {
  if (!store.locked) return true;
  return askToken(why, tryToken);
}

export async function lock() {
  try {
    await post("/api/lock");
  } catch (error) {
    toast("error", "Lock", error.message);
  }
  setLocked(true);
}

const refusedForLock = (error) => error instanceof ApiError && error.status === 401;

/** Send a command. Returns the answer, or null where there is none; either way the person is told. */
export async function command(path, body, title) {
  if (!(await unlock(`${title}: the controls are locked.`))) return null;
  try {
    return told(title, await post(path, body));
  } catch (error) {
    if (!refusedForLock(error)) return failed(title, error);
  }
  setLocked(true);
  if (!(await unlock(`${title}: the session has ended.`))) return null;
  try {
    return told(title, await post(path, body));
  } catch (error) {
    return failed(title, error);
  }
}

function told(title, answer) {
  toast("ok", title, answer?.message ?? "done");
  return answer ?? {};
}

function failed(title, error) {
  toast("error", `${title}: refused`, error.message);
  return null;
}
