import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createQueryClient } from "@/api/client";
import { createTagRefresher } from "@/api/tags";
import { Surroundings } from "@/app/App";
import { listenToKeyboard } from "@/lib/shortcuts";
import { installPlatform } from "@/platform";
import { createFakePlatform } from "@/platform/fake";
import type { FakeMode } from "@/platform/fake/mode";
import { DEAD_MS } from "./desk";
import { QuickApprove } from "./QuickApprove";

let stopListening: () => void;
beforeEach(() => {
  stopListening = listenToKeyboard();
});
afterEach(() => stopListening());

function open(mode: FakeMode = "normal") {
  const platform = createFakePlatform(mode, { latencyMs: 0, live: false, window: "quick" });
  installPlatform(platform);
  const client = createQueryClient();
  platform.onTagsChanged(createTagRefresher(client));
  render(
    <Surroundings client={client} env="test">
      <QuickApprove />
    </Surroundings>,
  );
  return { platform, user: userEvent.setup() };
}

async function handStops() {
  await screen.findByTestId("approval-decision");
  await act(() => new Promise((resolve) => setTimeout(resolve, DEAD_MS + 150)));
}

test("the small window shows only what is of low risk, and approves it by its own command", async () => {
  const { platform, user } = open();
  const whole = vi.spyOn(platform.commands, "approvalApprove");
  const quick = vi.spyOn(platform.commands, "quickApprove");
  await handStops();
  expect(screen.getByText("5 waiting")).toBeDefined();
  expect(screen.getByText("4 others of higher risk")).toBeDefined();
  await user.keyboard("a");
  await screen.findByTestId("approval-confirm");
  await user.keyboard("{Enter}");
  await waitFor(() => expect(quick).toHaveBeenCalledOnce());
  expect(whole).not.toHaveBeenCalled();
  await waitFor(() => expect(screen.getByText("4 waiting")).toBeDefined());
});

test("Escape first ends the question, then closes the window", async () => {
  const { platform, user } = open();
  const close = vi.spyOn(platform.commands, "quickClose");
  await handStops();
  await user.keyboard("a");
  await screen.findByTestId("approval-confirm");
  await user.keyboard("{Escape}");
  expect(screen.queryByTestId("approval-confirm")).toBeNull();
  expect(close).not.toHaveBeenCalled();
  await user.keyboard("{Escape}");
  expect(close).toHaveBeenCalledOnce();
});

test("with nothing of low risk it says so and leads to the queue", async () => {
  const { platform, user } = open("empty");
  const queue = vi.spyOn(platform.commands, "queueOpen");
  expect(await screen.findByTestId("quick-empty")).toBeDefined();
  await user.click(screen.getByTestId("quick-open-queue"));
  expect(queue).toHaveBeenCalledOnce();
});
