import { act, cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, onTestFinished, test, vi } from "vitest";
import { listenToKeyboard } from "@/lib/shortcuts";
import { openWindow } from "@/test/openWindow";

const OPEN = "setting-control-breaker_open_s";

async function numberField(name: string): Promise<HTMLInputElement> {
  return screen.findByTestId<HTMLInputElement>(`setting-control-${name}`);
}

test("settings stand in groups with their label, their usual value and one word on when they take effect", async () => {
  openWindow("/settings");
  const circuits = await screen.findByTestId("settings-circuits");
  expect(within(circuits).getAllByRole("group")).toHaveLength(3);
  expect(circuits.textContent).toContain("Time a circuit stays open");
  expect(circuits.textContent).toContain("usually 5 min · from 5 to 3,600 s");
  for (const group of ["waiting", "prices", "capacity"]) {
    expect(screen.getByTestId(`settings-${group}`)).toBeDefined();
  }
  expect(screen.getByTestId("settings-note").textContent).toContain("takes effect at once");
});

test("a number is applied on Enter, once, and taken back from its notice", async () => {
  const { platform, user } = openWindow("/settings");
  const set = vi.spyOn(platform.commands, "settingSet");
  const field = await numberField("breaker_open_s");
  await user.clear(field);
  await user.type(field, "90");
  expect(set).not.toHaveBeenCalled();
  expect(screen.getByTestId("setting-span-breaker_open_s").textContent).toContain("1 min 30 s");
  await user.keyboard("{Enter}");
  await user.tab();
  await waitFor(() =>
    expect(screen.getByTestId("setting-breaker_open_s").textContent).toContain("Not the usual"),
  );
  expect(set.mock.calls).toEqual([[{ name: "breaker_open_s", value: "90", reason: null }]]);

  await user.click(await screen.findByTestId("undo"));
  await waitFor(() => expect(field.value).toBe("300"));
  expect(set.mock.lastCall?.[0].value).toBe("300");
  expect(screen.getByTestId("setting-breaker_open_s").textContent).not.toContain("Not the usual");
});

test("a number that was typed is applied when its field is left", async () => {
  const { platform, user } = openWindow("/settings");
  const set = vi.spyOn(platform.commands, "settingSet");
  const field = await numberField("stream_idle_ms");
  await user.clear(field);
  await user.type(field, "45000");
  await user.tab();
  await screen.findByText("It was 2 min.");
  expect(set.mock.calls).toEqual([[{ name: "stream_idle_ms", value: "45000", reason: null }]]);
});

test("a number that is left without a change asks for nothing, and Escape forgets what was typed", async () => {
  const { platform, user } = openWindow("/settings");
  const set = vi.spyOn(platform.commands, "settingSet");
  const field = await numberField("max_requests");
  await user.click(field);
  await user.tab();
  await user.clear(field);
  await user.type(field, "12{Escape}");
  expect(field.value).toBe("2048");
  await user.tab();
  expect(set).not.toHaveBeenCalled();
});

test("what the backend refuses is said at the field, which keeps what was typed", async () => {
  const { platform, user } = openWindow("/settings");
  const set = vi.spyOn(platform.commands, "settingSet");
  const field = await numberField("breaker_failures");
  await user.clear(field);
  await user.type(field, "101{Enter}");
  const row = screen.getByTestId("setting-breaker_failures");
  await within(row).findByText(/A whole number from 1 to 100/);
  expect(field.value).toBe("101");
  expect(field.getAttribute("aria-invalid")).toBe("true");
  await user.tab();
  expect(set).toHaveBeenCalledTimes(1);

  await user.type(field, "{Backspace}");
  expect(within(row).queryByText(/A whole number/)).toBeNull();
  await user.keyboard("{Enter}");
  await waitFor(() => expect(row.textContent).toContain("Not the usual"));
  expect(set.mock.lastCall?.[0].value).toBe("10");
});

test("a choice is made in words, says what it means, and goes back to usual with the focus kept", async () => {
  const { user } = openWindow("/settings");
  const row = await screen.findByTestId("setting-unpriced_policy");
  await user.click(within(row).getByRole("radio", { name: "Do not send" }));
  await waitFor(() => expect(row.textContent).toContain("passed over"));
  await user.click(await within(row).findByTestId("setting-usual-unpriced_policy"));
  await waitFor(() =>
    expect(within(row).getByRole<HTMLInputElement>("radio", { name: "Serve them" }).checked).toBe(
      true,
    ),
  );
  expect(row.contains(document.activeElement)).toBe(true);
  expect(within(row).queryByTestId("setting-usual-unpriced_policy")).toBeNull();
});

test("a setting this window does not know yet can be read and set all the same", async () => {
  const { platform, router } = openWindow("/keys");
  const list = platform.commands.settingsList.bind(platform.commands);
  vi.spyOn(platform.commands, "settingsList").mockImplementation(async () => {
    const answer = await list();
    if (answer.status === "error") return answer;
    const [first] = answer.data;
    if (!first) throw new Error("the made-up backend has no settings");
    const own = { ...first, name: "shelf_life", unit: "bottles", choices: [] };
    return { status: "ok", data: [...answer.data, own] };
  });
  await screen.findByTestId("page-keys");
  await act(() => router.navigate({ to: "/settings" }));
  const other = await screen.findByTestId("settings-other");
  expect(within(other).getByRole("textbox", { name: "shelf_life, bottles" })).toBeDefined();
});

test("the search stands in the URL, and one that finds nothing offers the way back", async () => {
  const { router, user } = openWindow("/settings?q=capacity");
  await screen.findByTestId("setting-max_requests");
  expect(screen.queryByTestId(OPEN)).toBeNull();
  const field = screen.getByTestId<HTMLInputElement>("settings-search");
  await user.type(field, " nothing-like-it");
  await user.click(await screen.findByTestId("settings-clear"));
  await screen.findByTestId(OPEN);
  expect(field.value).toBe("");
  expect(router.state.location.search).toEqual({});
});

test("a link leads to one setting and puts the focus in it", async () => {
  openWindow("/settings?setting=breaker_open_s");
  await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId(OPEN)));
  expect(screen.getByTestId("setting-breaker_open_s").dataset["linked"]).toBe("true");
});

test("G and comma lead to the settings, and a slash to their search", async () => {
  onTestFinished(listenToKeyboard());
  const { router } = openWindow("/keys");
  await screen.findByTestId("page-keys");
  fireEvent.keyDown(document.body, { key: "g" });
  fireEvent.keyDown(document.body, { key: "," });
  await waitFor(() => expect(router.state.location.pathname).toBe("/settings"));
  await screen.findByTestId(OPEN);
  fireEvent.keyDown(document.body, { key: "/" });
  expect(document.activeElement).toBe(screen.getByTestId("settings-search"));
});

test("a backend that does not answer is said, with a way to ask again", async () => {
  openWindow("/settings", "error");
  const alert = await screen.findByTestId("error-state");
  expect(alert.textContent).toContain("The settings could not be read");
  expect(within(alert).getByTestId("retry")).toBeDefined();
});

test("what closing the window does is chosen where there is a tray, and said where there is none", async () => {
  const { user } = openWindow("/settings");
  const choice = await screen.findByTestId<HTMLInputElement>("desktop-close-to-tray");
  expect(choice.checked).toBe(true);
  await user.click(choice);
  await waitFor(() => expect(choice.checked).toBe(false));
  expect(screen.getByTestId("settings-desktop").textContent).toContain("Quits");
  expect(screen.getByTestId("desktop-shortcut").textContent).toContain("Shift");
  cleanup();

  openWindow("/settings", "empty");
  const command = await screen.findByTestId("desktop-command");
  expect(command.textContent).toContain("signalbox --quick-approve");
  expect(screen.queryByTestId("desktop-close-to-tray")).toBeNull();
  expect(screen.getByTestId("settings-desktop").textContent).toContain("closing the window quits");
});
