import { act, screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
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
