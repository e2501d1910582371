import { createMemoryHistory } from "@tanstack/react-router";
import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { createQueryClient } from "@/api/client";
import { createTagRefresher } from "@/api/tags";
import { App } from "@/app/App";
import { listenToKeyboard } from "@/lib/shortcuts";
import { installPlatform } from "@/platform";
import { createFakePlatform } from "@/platform/fake";
import { createAppRouter } from "@/routes/router";

/** The whole window on a made-up backend, at one operation. */
function openWindow(operation: string) {
  const platform = createFakePlatform("normal", { latencyMs: 0, live: false });
  installPlatform(platform);
  const client = createQueryClient();
  platform.onTagsChanged(createTagRefresher(client));
  const history = createMemoryHistory({ initialEntries: [`/operations?operation=${operation}`] });
  const router = createAppRouter(client, history);
  render(<App client={client} router={router} env="test" />);
  const found = platform.world.operations.find((candidate) => candidate.id === operation);
  return { platform, router, operation: found, user: userEvent.setup({ delay: null }) };
}

const card = (provider: string, model: string) => ({
  provider,
  model,
  enabled: true,
  weight: 1,
  timeout_ms: null as number | null,
  max_output: null,
});

/** A route without anything special. */
const PLAIN = {
  enabled: true,
  strategy: "priority",
  balance: { cost: 50, latency: 30, quality: 20 },
  rules: [],
  deadline_ms: null,
  cache_ttl_s: null,
  allowed_providers: [],
  approval: null,
};

const targets = (operation: { targets: { provider: string; model: string }[] } | undefined) =>
  operation?.targets.map((target) => `${target.provider}/${target.model}`);

async function choose(user: ReturnType<typeof userEvent.setup>, place: number, target: string) {
  const input = await screen.findByTestId(`route-target-select-${place}`);
  await user.click(input);
  await user.clear(input);
  await user.type(input, target);
  await user.click(await screen.findByRole("option", { name: new RegExp(target) }));
}

test("a changed first target is previewed, applied with its reason, and can be taken back", async () => {
  const { platform, operation, user } = openWindow("chat_message");
  const version = operation?.version ?? 0;
  const apply = vi.spyOn(platform.commands, "routeApply");
  const revert = vi.spyOn(platform.commands, "changeRevert");

  await choose(user, 1, "gemini/gemini-2.5-flash");
  expect(screen.getByTestId("draft-bar").textContent).toContain("1 change");
  await user.click(screen.getByTestId("draft-preview"));
  const sentences = await screen.findByTestId("preview-sentences");
  expect(sentences.textContent).toContain("gemini/gemini-2.5-flash");
  await user.type(screen.getByTestId("draft-reason"), "cheaper");
  await user.click(screen.getByTestId("draft-apply"));

  await waitFor(() => expect(screen.queryByTestId("draft-bar")).toBeNull());
  expect(apply).toHaveBeenCalledExactlyOnceWith({
    operation: "chat_message",
    base_version: version,
    ...PLAIN,
    targets: [
      { ...card("gemini", "gemini-2.5-flash"), timeout_ms: 20_000 },
      card("openai", "gpt-5-mini"),
      card("simulator", "echo"),
    ],
    reason: "cheaper",
  });
  expect(operation?.version).toBe(version + 1);

  await user.click(await screen.findByTestId("undo"));
  expect(revert).toHaveBeenCalledExactlyOnceWith(platform.world.changes[1]?.seq, null);
});

test("a route that changed meanwhile is decided on before it is overwritten", async () => {
  const { platform, operation, user } = openWindow("chat_message");
  await choose(user, 1, "gemini/gemini-2.5-flash");
  await act(async () => {
    await platform.commands.routeApply({
      operation: "chat_message",
      base_version: operation?.version ?? 0,
      ...PLAIN,
      targets: [card("openai", "gpt-5-mini")],
      reason: null,
    });
  });

  const panel = await screen.findByTestId("draft-conflict");
  expect(
    within(panel)
      .getAllByRole("list")
      .map((list) => list.textContent),
  ).toEqual(["openai/gpt-5-mini", "gemini/gemini-2.5-flash (20 s)openai/gpt-5-minisimulator/echo"]);
  expect(screen.getByTestId<HTMLButtonElement>("draft-apply").disabled).toBe(true);
  await user.click(screen.getByTestId("conflict-mine"));
  await user.click(screen.getByTestId("draft-apply"));
  await waitFor(() => expect(targets(operation)?.[0]).toBe("gemini/gemini-2.5-flash"));
});

test("a target moves by keyboard, is spoken, and the move can be undone", async () => {
  const stop = listenToKeyboard();
  const { user } = openWindow("chat_message");
  const second = await screen.findByTestId<HTMLInputElement>("route-target-select-2");
  const name = second.value;
  second.focus();
  await user.keyboard("{Alt>}{ArrowUp}{/Alt}");
  expect(screen.getByTestId("route-spoken").textContent).toBe(`${name}, 1 of 3`);
  expect(document.activeElement).toBe(screen.getByTestId("route-target-select-1"));
  await user.keyboard("{Control>}z{/Control}");
  expect(screen.queryByTestId("draft-bar")).toBeNull();
  await user.keyboard("{Control>}{Shift>}z{/Shift}{/Control}");
  expect(screen.getByTestId("draft-bar")).toBeTruthy();
  stop();
});

test("an emptied chain says what is missing, and leaving with a draft asks first", async () => {
  const { router, user } = openWindow("video_understanding");
  await user.click(await screen.findByRole("button", { name: /^Remove gemini/ }));
  await user.click(screen.getByTestId("draft-preview"));
  await screen.findAllByText("A route needs at least one target.");
  expect(screen.getByTestId<HTMLButtonElement>("draft-apply").disabled).toBe(true);

  await user.click(screen.getByTestId("sheet-close"));
  await screen.findByRole("button", { name: "Stay" });
  await user.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByRole("button", { name: "Stay" })).toBeNull());
  expect(router.state.location.search).toMatchObject({ operation: "video_understanding" });
  await user.click(screen.getByTestId("sheet-close"));
  await user.click(await screen.findByTestId("draft-leave"));
  await waitFor(() => expect(screen.queryByTestId("operation-detail")).toBeNull());
});

test("a target is added from the keyboard, and Escape goes back without one", async () => {
  const { user } = openWindow("video_understanding");
  const add = await screen.findByTestId("route-add-target");
  await user.click(add);
  await screen.findByTestId("route-target-select-2");
  await user.keyboard("{Escape}{Escape}");
  expect(document.activeElement).toBe(screen.getByTestId("route-add-target"));
  expect(screen.getByTestId("operation-detail")).toBeTruthy();

  await user.keyboard("{Enter}");
  await user.type(await screen.findByTestId("route-target-select-2"), "gpt-5.2{Enter}");
  expect(screen.getByTestId("draft-bar").textContent).toContain("1 change");
  expect(document.activeElement).toBe(screen.getByTestId("route-add-target"));
});

test("an unknown operation in the address is said to be unknown", async () => {
  openWindow("no_such_thing");
  await screen.findByTestId("operation-unknown");
  expect(screen.getByTestId("operations-table")).toBeTruthy();
});
