import { createMemoryHistory } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createQueryClient } from "@/api/client";
import { createTagRefresher } from "@/api/tags";
import { App } from "@/app/App";
import { installPlatform } from "@/platform";
import { createFakePlatform } from "@/platform/fake";
import type { FakeMode } from "@/platform/fake/mode";
import { createAppRouter } from "@/routes/router";

/** The whole window on a made-up backend, at an address. */
export function openWindow(path: string, mode: FakeMode = "normal") {
  const platform = createFakePlatform(mode, { latencyMs: 0, live: false });
  installPlatform(platform);
  const client = createQueryClient();
  platform.onTagsChanged(createTagRefresher(client));
  const router = createAppRouter(client, createMemoryHistory({ initialEntries: [path] }));
  render(<App client={client} router={router} env="test" />);
  return { platform, client, router, user: userEvent.setup() };
}
