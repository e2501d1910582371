import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, onTestFinished, test, vi } from "vitest";
import { statusQueryOptions } from "@/api/queries";
import { HOLD_MS } from "@/components/HoldButton";
import { listenToKeyboard } from "@/lib/shortcuts";
import { openWindow } from "@/test/openWindow";

test("locked toggles have a badge and a reason, and nothing that could set them", async () => {
  openWindow("/toggles");
  const locked = await screen.findByTestId("toggles-locked");
  expect(locked.textContent).toContain("No role, API or import can change this");
  const rows = within(locked).getAllByRole("group");
  expect(rows).toHaveLength(2);
  for (const row of rows) expect(row.textContent).toContain("Locked off");
  expect(within(locked).queryByRole("button")).toBeNull();
  expect(within(locked).queryByRole("switch")).toBeNull();
});

test("what is not built is not shown", async () => {
  openWindow("/toggles");
  await screen.findByTestId("toggles-safety");
  expect(screen.queryByTestId("toggles-feature")).toBeNull();
});

test("a safety toggle says what follows before it is turned on, and is taken back from its notice", async () => {
  const { platform, user } = openWindow("/toggles");
  const set = vi.spyOn(platform.commands, "toggleSet");
  const row = await screen.findByTestId("toggle-log_payloads");
  await user.click(within(row).getByTestId("toggle-flip-log_payloads"));
  const question = await screen.findByRole("dialog");
  expect(question.textContent).toContain("kept in the database");
  expect(set).not.toHaveBeenCalled();
  await user.click(await screen.findByTestId("toggle-confirm-log_payloads"));
  await waitFor(() => expect(row.textContent).toContain("are stored with their requests"));
  await user.click(await screen.findByTestId("undo"));
  await waitFor(() => expect(row.textContent).toContain("are not stored"));
});

test("with several admins, turning a safety toggle on asks another one and changes nothing yet", async () => {
  const { platform, client, user } = openWindow("/toggles");
  const request = { approval: "apr_1", sentence: "log_payloads is on" };
  vi.spyOn(platform.commands, "toggleSet").mockResolvedValue({
    status: "ok",
    data: { outcome: "asked", request },
  });
  const row = await screen.findByTestId("toggle-log_payloads");
  act(() => {
    client.setQueryData(statusQueryOptions().queryKey, (status) =>
      status ? { ...status, four_eyes: true } : status,
    );
  });
  await user.click(within(row).getByTestId("toggle-flip-log_payloads"));
  expect((await screen.findByRole("dialog")).textContent).toContain("Another admin approves it");
  await user.click(await screen.findByTestId("toggle-confirm-log_payloads"));
  expect(await screen.findByText("Asked for approval")).toBeDefined();
  expect(row.textContent).toContain("are not stored");
  expect(screen.queryByTestId("undo")).toBeNull();
});

test("each toggle that can be set shows its flips of thirty days, and a new one is counted", async () => {
  const { user } = openWindow("/toggles");
  const row = await screen.findByTestId("toggle-log_payloads");
  expect(within(row).getByRole("img").getAttribute("aria-label")).toBe(
    "8 flips in 30 days, the last 3 days ago",
  );
  await user.click(within(row).getByTestId("toggle-flip-log_payloads"));
  await user.click(await screen.findByTestId("toggle-confirm-log_payloads"));
  await waitFor(() =>
    expect(within(row).getByRole("img").getAttribute("aria-label")).toBe(
      "9 flips in 30 days, the last today",
    ),
  );
  const locked = screen.getByTestId("toggle-advisor_can_approve_costs");
  expect(within(locked).queryByRole("img")).toBeNull();
});

test("the kill switch is on every screen, asks when it is clicked, and its focus is on Cancel", async () => {
  const { user } = openWindow("/keys");
  await screen.findByTestId("page-keys");
  await user.click(await screen.findByTestId("kill-switch"));
  const dialog = await screen.findByTestId("kill-switch-dialog");
  await waitFor(() => expect(document.activeElement?.textContent).toBe("Cancel"));
  await user.type(within(dialog).getByTestId("kill-switch-reason"), "a loop spends");
  await user.click(within(dialog).getByTestId("kill-switch-confirm"));
  const banner = await screen.findByTestId("kill-switch-banner");
  expect(banner.textContent).toContain("by local in the window: a loop spends");
});

test("Ctrl+Shift+K and Enter stop, and only the typed word lets traffic run again", async () => {
  onTestFinished(listenToKeyboard());
  const { user } = openWindow("/logs");
  await screen.findByTestId("page-logs");
  fireEvent.keyDown(document.body, { key: "K", ctrlKey: true, shiftKey: true });
  await waitFor(() =>
    expect(document.activeElement).toBe(screen.getByTestId("kill-switch-confirm")),
  );
  await user.keyboard("{Enter}");
  const banner = await screen.findByTestId("kill-switch-banner");
  await waitFor(() => expect(screen.queryByTestId("kill-switch-dialog")).toBeNull());

  await user.click(within(banner).getByTestId("kill-switch-resume"));
  const typed = await screen.findByTestId("kill-switch-typed");
  await user.type(typed, "resume");
  const release = screen.getByTestId<HTMLButtonElement>("kill-switch-release");
  expect(release.disabled).toBe(true);
  await user.clear(typed);
  await user.type(typed, "RESUME{Enter}");
  await waitFor(() => expect(screen.queryByTestId("kill-switch-banner")).toBeNull());
});

test("held for a second the kill switch acts without a question, and let go earlier it does not", async () => {
  const { platform } = openWindow("/toggles");
  const engage = vi.spyOn(platform.commands, "killSwitchEngage");
  const button = await screen.findByTestId("kill-switch-panel-stop");
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  fireEvent.pointerDown(button, { button: 0 });
  act(() => void vi.advanceTimersByTime(HOLD_MS - 1));
  fireEvent.pointerUp(button);
  act(() => void vi.advanceTimersByTime(HOLD_MS));
  expect(engage).not.toHaveBeenCalled();
  fireEvent.pointerDown(button, { button: 0 });
  act(() => void vi.advanceTimersByTime(HOLD_MS));
  vi.useRealTimers();
  await waitFor(() => expect(engage).toHaveBeenCalledTimes(1));
  fireEvent.pointerUp(button);
  fireEvent.click(button, { detail: 1 });
  expect(screen.queryByTestId("kill-switch-dialog")).toBeNull();
  await screen.findByTestId("kill-switch-banner");
});

test("G and T lead to the toggles, and a backend that does not answer is said", async () => {
  onTestFinished(listenToKeyboard());
  const { router } = openWindow("/keys");
  await screen.findByTestId("page-keys");
  fireEvent.keyDown(document.body, { key: "g" });
  fireEvent.keyDown(document.body, { key: "t" });
  await waitFor(() => expect(router.state.location.pathname).toBe("/toggles"));
});

test("a backend that does not answer is said, with a way to ask again", async () => {
  openWindow("/toggles", "error");
  const alert = await screen.findByTestId("error-state");
  expect(alert.textContent).toContain("The toggles could not be read");
});
