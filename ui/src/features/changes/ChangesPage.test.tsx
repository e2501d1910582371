import { act, screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { giveHeight } from "@/test/giveHeight";
import { openWindow } from "@/test/openWindow";

test("a change is reverted with a reason, and the revert can be taken back", async () => {
  const { platform, router, user } = openWindow("/changes");
  const revert = vi.spyOn(platform.commands, "changeRevert");
  const newest = platform.world.changes.find((change) => change.revertible);
  if (!newest) throw new Error("the made-up history has nothing to revert");
  await screen.findByTestId("changes-table");
  await act(() => router.navigate({ to: "/changes", search: { seq: newest.seq } }));

  await user.click(await screen.findByTestId("change-revert"));
  await user.type(await screen.findByRole("textbox", { name: /Reason/ }), "by mistake");
  await user.click(screen.getByTestId("change-revert-confirm"));
  await waitFor(() => expect(revert).toHaveBeenCalledWith(newest.seq, "by mistake"));

  await user.click(await screen.findByTestId("undo"));
  await waitFor(() => expect(revert).toHaveBeenCalledTimes(2));
  expect(revert.mock.calls[1]?.[0]).toBeGreaterThan(newest.seq);
});

test("a broken chain is said loudly, with the first entry that does not fit", async () => {
  const { platform, router } = openWindow("/keys");
  const page = platform.commands.changesPage.bind(platform.commands);
  vi.spyOn(platform.commands, "changesPage").mockImplementation(async (...asked) => {
    const answer = await page(...asked);
    if (answer.status === "error") return answer;
    const chain = { ...answer.data.chain, intact: false, first_bad: 3 };
    return { status: "ok", data: { ...answer.data, chain } };
  });
  await screen.findByTestId("page-keys");
  await act(() => router.navigate({ to: "/changes" }));
  const alert = await screen.findByTestId("chain-broken");
  expect(within(alert).getByText(/Entry no. 3/)).toBeDefined();
});

test("the history is searched, and an export says first how much it writes", async () => {
  const { platform, user } = openWindow("/changes");
  const page = vi.spyOn(platform.commands, "changesPage");
  const write = vi.spyOn(platform.commands, "changesExport");
  await screen.findByTestId("changes-table");
  await user.type(screen.getByTestId("changes-search"), "gemini");
  await waitFor(() =>
    expect(page).toHaveBeenLastCalledWith({ text: "gemini" }, null, expect.any(Number)),
  );
  await user.click(screen.getByTestId("changes-export"));
  const rows = platform.world.changes.filter(({ subject }) => subject === "gemini").length;
  const words = await screen.findByTestId("changes-export-rows");
  await waitFor(() => expect(words.textContent).toContain(`${rows} changes (as filtered)`));
  await user.click(screen.getByTestId("changes-export-csv"));
  await waitFor(() => expect(write).toHaveBeenCalledWith({ text: "gemini" }, "csv"));
});

test("the configuration of a time is shown beside what became of it", async () => {
  giveHeight();
  const { platform, router } = openWindow("/changes");
  await screen.findByTestId("changes-table");
  const oldest = platform.world.changes.findLast(({ kind }) => kind === "route");
  if (!oldest) throw new Error("the made-up history has no route");
  await act(() => router.navigate({ to: "/changes", search: { at: oldest.at } }));
  const table = await screen.findByTestId("state-at-table");
  expect(await within(table).findByText("chat_message")).toBeDefined();
  expect(await within(table).findAllByText("As it is now")).not.toHaveLength(0);
  await act(() =>
    router.navigate({ to: "/changes", search: { at: oldest.at, thing: "route/chat_message" } }),
  );
  expect(await screen.findByTestId("state-detail")).toBeDefined();
});
