import "@fontsource-variable/inter/index.css";
import "@fontsource-variable/jetbrains-mono/index.css";
import "@mantine/core/styles.layer.css";
import "@mantine/dates/styles.layer.css";
import "@mantine/notifications/styles.layer.css";
import "@mantine/spotlight/styles.layer.css";
import "./styles/tokens.css";
import "./styles/global.css";
import type { QueryClient } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { z } from "zod";
import { createQueryClient } from "./api/client";
import { createTagRefresher } from "./api/tags";
import { App, Surroundings } from "./app/App";
import { installPlatform, type Platform, platform } from "./platform";
import { createTauriPlatform, isTauri } from "./platform/tauri";
import { createAppRouter } from "./routes/router";
import { listenToKeyboard } from "./lib/shortcuts";

// The content security policy forbids making code from text; zod must not try.
z.config({ jitless: true });
applyStoredTheme();

const host = await findPlatform();
const root = document.getElementById("root");
if (root) await start(root, host);

async function start(element: HTMLElement, found: Platform | undefined): Promise<void> {
  if (!found) {
    element.textContent = "This is the window of Signalbox. It runs inside the desktop app.";
    return;
  }
  installPlatform(found);
  const client = createQueryClient();
  platform().onTagsChanged(createTagRefresher(client));
  listenToKeyboard();
  const content =
    found.window === "quick" ? (
      await quickWindow(client)
    ) : (
      <App client={client} router={createAppRouter(client)} />
    );
  createRoot(element).render(<StrictMode>{content}</StrictMode>);
}

/** The small window has one thing to show and goes nowhere. */
async function quickWindow(client: QueryClient) {
  const { QuickApprove } = await import("./features/approvals/QuickApprove");
  return (
    <Surroundings client={client}>
      <QuickApprove />
    </Surroundings>
  );
}

/** The desktop shell; or, while developing, a made-up backend in a plain browser. */
async function findPlatform(): Promise<Platform | undefined> {
  if (isTauri()) return createTauriPlatform();
  if (!import.meta.env.DEV) return undefined;
  const { createFakePlatform, fakeModeFromUrl } = await import("./platform/fake");
  // Behind `#` as well: the router would take what stands before it for a part of the screen's own search.
  const query = [window.location.search, window.location.hash.split("?")[1]].join("&");
  const quick = new URLSearchParams(query).has("quick");
  return createFakePlatform(fakeModeFromUrl(query), { window: quick ? "quick" : "main" });
}

/** Before the first paint, so that a dark window does not flash white. */
function applyStoredTheme(): void {
  const stored = localStorage.getItem("mantine-color-scheme-value");
  const dark =
    stored === "dark" ||
    (stored !== "light" && window.matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
}
