// Speaking instead of typing, where the browser offers it.

import { toast } from "./dom.js";

const Recognition = globalThis.SpeechRecognition ?? globalThis.webkitSpeechRecognition;
const REASONS = {
  "not-allowed": "The microphone is not allowed on this page.",
  "service-not-allowed": "The browser does not offer speech recognition here.",
  "audio-capture": "No microphone was found.",
  network: "The browser's speech recognition cannot be reached.",
};

/** Let a button write what is said into a field; the button stays hidden where that is not possible. */
export function voice(button, field) {
  if (!Recognition) return;
  let listening = null;
  button.hidden = false;
  button.title = `${button.getAttribute("aria-label")} (your browser may send the sound to its maker)`;
  button.addEventListener("click", () => (listening ? listening.stop() : start()));

  function start() {
    const recognition = new Recognition();
    recognition.lang = navigator.language;
    recognition.interimResults = true;
    recognition.addEventListener("result", (event) => {
      field.value = [...event.results].map((result) => result[0].transcript).join(" ");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    recognition.addEventListener("error", (event) => REASONS[event.error] && toast(REASONS[event.error]));
    recognition.addEventListener("end", () => {
      listening = null;
      button.setAttribute("aria-pressed", "false");
      field.focus();
    });
    listening = recognition;
    button.setAttribute("aria-pressed", "true");
    recognition.start();
  }
}
