import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { giveHeight } from "@/test/giveHeight";
import { openWindow } from "@/test/openWindow";

beforeEach(giveHeight);

test("a channel is added, given its secret from the clipboard, and tried with its real result", async () => {
  const { platform, user } = openWindow("/notifications");
  const paste = vi.spyOn(platform.commands, "channelPasteSecret");
  await user.click(await screen.findByTestId("channel-add"));
  const dialog = await screen.findByTestId("channel-add-dialog");
  await user.type(within(dialog).getByTestId("channel-name"), "night shift");
  await user.click(within(dialog).getByTestId("channel-add-submit"));
  const sheet = await screen.findByTestId("channel-detail");
  expect(sheet.textContent).toContain("Its secret is not set yet.");
  expect(within(sheet).getByTestId<HTMLButtonElement>("channel-test").disabled).toBe(true);
  await user.click(within(sheet).getByTestId("channel-paste-key"));
  await within(sheet).findByText(/discord\.com …k3Qa/);
  expect(paste).toHaveBeenCalledTimes(1);
  await user.click(within(sheet).getByTestId("channel-test"));
  await within(sheet).findByTestId("channel-test-sent");
});

test("what a receiver says to a trial stands where it was asked", async () => {
  const { user } = openWindow("/notifications?channel=chn_5");
  const sheet = await screen.findByTestId("channel-detail");
  await user.click(within(sheet).getByTestId("channel-test"));
  const problem = await within(sheet).findByTestId("channel-test-problem");
  expect(problem.textContent).toContain("404: no_service");
});

test("a secret that is typed is gone from the page as soon as it is sent", async () => {
  const { platform, user, client } = openWindow("/notifications?channel=chn_4");
  const set = vi.spyOn(platform.commands, "channelSetSecret");
  const sheet = await screen.findByTestId("channel-detail");
  const field = within(sheet).getByTestId<HTMLInputElement>("channel-secret");
  await user.type(field, "hunter2-canary{Enter}");
  await within(sheet).findByText(/A signing key is/);
  expect(set).toHaveBeenCalledTimes(1);
  expect(field.value).toBe("");
  expect(document.body.innerHTML).not.toContain("hunter2-canary");
  const memory = JSON.stringify(
    client
      .getMutationCache()
      .getAll()
      .map(({ state }) => state),
  );
  expect(memory).not.toContain("hunter2-canary");
});

test("a channel that cannot be is refused at its field, and keeps what was typed", async () => {
  const { user } = openWindow("/notifications?add=true");
  const dialog = await screen.findByTestId("channel-add-dialog");
  await user.click(within(dialog).getByRole("radio", { name: "Webhook" }));
  await user.type(within(dialog).getByTestId("channel-name"), "desk");
  await user.type(within(dialog).getByTestId("channel-url"), "http://desk.example/hook");
  await user.click(within(dialog).getByTestId("channel-add-submit"));
  await within(dialog).findByText(/Only https URLs are called/);
  expect(within(dialog).getByTestId<HTMLInputElement>("channel-url").value).toBe(
    "http://desk.example/hook",
  );
});

test("a rule says who is told when, and is changed with what usually holds beside it", async () => {
  const { platform, user } = openWindow("/notifications?view=rules");
  const set = vi.spyOn(platform.commands, "alertRuleSet");
  const rows = await screen.findAllByTestId("rule-row");
  const opened = rows.find((row) => row.textContent?.includes("Circuit opened"));
  if (!opened) throw new Error("the rule is not shown");
  expect(opened.textContent).toContain("22:00–07:00");
  expect(opened.textContent).toContain("After 30 min");
  await user.click(opened);
  const sheet = await screen.findByTestId("rule-detail");
  await user.click(within(sheet).getByTestId("rule-quiet"));
  await user.click(within(sheet).getByTestId("rule-save"));
  await waitFor(() => expect(set.mock.lastCall?.[0]).toMatchObject({ quiet: null }));
});

test("what warns of tampering cannot be switched off", async () => {
  openWindow("/notifications?view=rules&rule=toggle_tampered");
  const sheet = await screen.findByTestId("rule-detail");
  expect(within(sheet).getByTestId<HTMLInputElement>("rule-enabled").disabled).toBe(true);
});

test("each telling is listed with what it failed of and leads to its alert", async () => {
  const { router, user } = openWindow("/notifications?view=deliveries");
  const rows = await screen.findAllByTestId("delivery-row");
  const failed = rows.find((row) => row.textContent?.includes("404: no_service"));
  if (!failed) throw new Error("the failed delivery is not shown");
  await user.click(failed);
  await waitFor(() => expect(router.state.location.pathname).toBe("/alerts"));
  expect(router.state.location.search).toMatchObject({ show: "all" });
});

test("with the desktop alone, the way to other channels is offered", async () => {
  openWindow("/notifications", "empty");
  await screen.findByTestId("channels-empty-add");
  expect(screen.getAllByTestId("channel-row")).toHaveLength(1);
});

test("a backend that does not answer is said, with a way to ask again", async () => {
  openWindow("/notifications", "error");
  const fault = await screen.findByTestId("error-state");
  expect(fault.textContent).toContain("Channels and rules could not be read");
});
