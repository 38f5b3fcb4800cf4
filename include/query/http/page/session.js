// Who the visitor is: a one-time link, a pasted token, or the session of the Airflow around it.

import { call, json, whenSignedOut } from "./api.js";
import { by } from "./dom.js";

const tabs = globalThis.BroadcastChannel ? new BroadcastChannel("tidemark") : null;
let user = null;
let waiting = null;
let managed = false;

/**
 * Begin: exchange the code of a one-time link, or find out who is signed in. Resolves when
 * somebody is.
 */
export async function begin() {
  whenSignedOut(askToSignIn);
  by("sign-in").addEventListener("cancel", (event) => event.preventDefault());
  by("sign-in-form").addEventListener("submit", submit);
  by("sign-out").addEventListener("click", signOut);
  tabs?.addEventListener("message", () => location.reload());
  const code = takeCode();
  if (code) await exchange({ code }).catch((problem) => explainLink(problem));
  if (!user) welcome(await json("session"));
}

/** Take the code out of the address at once: it is a secret until it is used. */
function takeCode() {
  const given = new URLSearchParams(location.hash.slice(1));
  const code = given.get("code");
  if (code === null) return null;
  given.delete("code");
  history.replaceState(null, "", given.size ? `#${given}` : location.pathname + location.search);
  return code;
}

async function exchange(proof) {
  const told = await json("session", { method: "POST", body: proof, anonymous: true });
  welcome(told);
}

function welcome(told) {
  // Somebody else's results must not stay on the screen.
  if (user !== null && told.user !== user) location.reload();
  user = told.user;
  by("who").textContent = told.groups?.length ? `${told.user} · ${told.groups.join(", ")}` : told.user;
  managed = told.managed === true;
  by("sign-out").hidden = managed;
}

function explainLink(problem) {
  askToSignIn();
  const worn = [400, 401, 403, 404, 410, 422].includes(problem.status);
  complain(worn ? "This link has been used already, or has expired. Ask for a new one." : `${problem.title} ${problem.detail}`);
}

/** Show the sign-in card; all calls that wait for it go on once somebody is signed in. */
function askToSignIn() {
  if (waiting) return waiting.promise;
  waiting = {};
  waiting.promise = new Promise((resolve) => (waiting.resolve = resolve));
  by("sign-in-problem").hidden = true;
  if (managed) {
    // Airflow says who this is; nothing that is typed here could.
    by("sign-in-how").textContent = "Your Airflow session has ended. Sign in to Airflow again, then come back.";
    by("sign-in-button").textContent = "Reload";
    by("sign-in-own").hidden = true;
  }
  by("sign-in").showModal();
  by("token").focus();
  return waiting.promise;
}

async function submit(event) {
  event.preventDefault();
  if (managed) {
    location.reload();
    return;
  }
  const given = by("token").value.trim().replace(/^.*#code=/u, "");
  if (!given) return;
  by("token").value = "";
  try {
    // A token has three parts; a one-time code has one.
    await exchange(given.split(".").length === 3 ? { token: given } : { code: given });
  } catch (problem) {
    complain(problem.status === 401 ? "This is not valid, or no longer: ask for a new one." : `${problem.title} ${problem.detail}`);
    by("token").focus();
    return;
  }
  by("sign-in").close();
  waiting?.resolve();
  waiting = null;
}

function complain(text) {
  by("sign-in-problem").textContent = text;
  by("sign-in-problem").hidden = false;
}

async function signOut() {
  await call("session", { method: "DELETE", anonymous: true }).catch(() => {});
  tabs?.postMessage("signed out");
  // Nothing of what was seen stays: neither on the screen nor in the address.
  location.replace(location.pathname);
}
