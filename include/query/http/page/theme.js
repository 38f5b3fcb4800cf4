// Runs before the first paint, so that a chosen appearance never flashes.
{
  let theme = null;
  try {
    theme = localStorage.getItem("tidemark.theme");
  } catch {
    // Storage may be forbidden; the system's appearance holds then.
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
}
