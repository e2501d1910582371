import "@fontsource-variable/inter/index.css";
import "@fontsource-variable/jetbrains-mono/index.css";
import "@mantine/core/styles.layer.css";
import "@mantine/dates/styles.layer.css";
import "@mantine/notifications/styles.layer.css";
import "@mantine/spotlight/styles.layer.css";
import "./styles/tokens.css";
import "./styles/global.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { z } from "zod";
import { createQueryClient } from "./api/client";
import { createTagRefresher } from "./api/tags";
import { App } from "./app/App";
import { installPlatform, type Platform, platform } from "./platform";
import { isTauri, tauriPlatform } from "./platform/tauri";
import { createAppRouter } from "./routes/router";
import { listenToKeyboard } from "./lib/shortcuts";

// The content security policy forbids making code from text; zod must not try.
z.config({ jitless: true });
applyStoredTheme();

const host = await findPlatform();
const root = document.getElementById("root");
if (root) start(root, host);

function start(element: HTMLElement, found: Platform | undefined): void {
  if (!found) {
    element.textContent = "This is the window of Signalbox. It runs inside the desktop app.";
    return;
  }
  installPlatform(found);
  const client = createQueryClient();
  platform().onTagsChanged(createTagRefresher(client));
  listenToKeyboard();
  createRoot(element).render(
    <StrictMode>
      <App client={client} router={createAppRouter(client)} />
    </StrictMode>,
  );
}

/** The desktop shell; or, while developing, a made-up backend in a plain browser. */
async function findPlatform(): Promise<Platform | undefined> {
  if (isTauri()) return tauriPlatform;
  if (!import.meta.env.DEV) return undefined;
  const { createFakePlatform, fakeModeFromUrl } = await import("./platform/fake");
  return createFakePlatform(fakeModeFromUrl(window.location.search));
}

/** Before the first paint, so that a dark window does not flash white. */
function applyStoredTheme(): void {
  const stored = localStorage.getItem("mantine-color-scheme-value");
  const dark =
    stored === "dark" ||
    (stored !== "light" && window.matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
}
