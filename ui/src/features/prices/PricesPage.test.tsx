import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { giveHeight } from "@/test/giveHeight";
import { openWindow as open } from "@/test/openWindow";

test("ten thousand models are listed a screenful at a time, with how many there are", async () => {
  giveHeight();
  open("/prices", "large");
  const table = await screen.findByTestId("prices-table");
  const rows = await within(table).findAllByTestId("price-row");
  expect(rows.length).toBeLessThan(80);
  expect(Number(table.getAttribute("aria-rowcount"))).toBeGreaterThan(10_000);
}, 30_000);

test("filters stand in the URL, and a filter that leaves nothing offers the way back", async () => {
  giveHeight();
  const { router, user } = open("/prices?unpriced=true");
  const table = await screen.findByTestId("prices-table");
  const rows = await within(table).findAllByTestId("price-row");
  expect(rows.every((row) => row.textContent?.includes("Unpriced"))).toBe(true);
  await user.type(screen.getByTestId("prices-search"), "nothing-like-it");
  await user.click(await screen.findByTestId("prices-clear"));
  await waitFor(() => expect(router.state.location.search).toEqual({}));
});

test("models whose requests ran without a known cost are named, and lead to a form that knows the catalogue's price", async () => {
  const { platform, user } = open("/prices");
  const set = vi.spyOn(platform.commands, "priceSet");
  await user.click(await screen.findByTestId("unpriced-show"));
  await user.click(await screen.findByTestId("unpriced-set-openai/gpt-4o-transcribe"));
  await user.click(await screen.findByTestId("price-suggestion"));
  expect(screen.getByTestId<HTMLInputElement>("rate-audio_milliseconds").value).toBe("0.006");
  await waitFor(() => expect(screen.getByTestId("price-preview").textContent).toContain("$0.006"));
  await waitFor(() =>
    expect(screen.getByTestId<HTMLButtonElement>("price-apply").disabled).toBe(false),
  );
  await user.click(screen.getByTestId("price-apply"));
  await waitFor(() => expect(set).toHaveBeenCalledTimes(1));
  await waitFor(() => expect(screen.getByTestId("unpriced").textContent).toContain("1 model has"));
});

test("a price of one's own is previewed against the one in force, applied, and taken back through the history", async () => {
  const { platform, user } = open("/prices?price=openai%2Fgpt-5.2");
  const set = vi.spyOn(platform.commands, "priceSet");
  const revert = vi.spyOn(platform.commands, "changeRevert");
  await user.click(await screen.findByTestId("price-set"));
  const input = await screen.findByTestId("rate-input_tokens");
  await user.clear(input);
  await user.type(input, "3.5");
  const preview = screen.getByTestId("price-preview");
  await waitFor(() => expect(preview.textContent).toContain("+100 %"));
  expect(preview.textContent).toContain("rises by 100 %");
  expect(screen.getByTestId("price-sample").textContent).toContain("1,000 tokens in, 500 out");
  await waitFor(() =>
    expect(screen.getByTestId<HTMLButtonElement>("price-apply").disabled).toBe(false),
  );
  await user.click(screen.getByTestId("price-apply"));
  await waitFor(() =>
    expect(set).toHaveBeenCalledWith(
      expect.objectContaining({
        target: "openai/gpt-5.2",
        rates: [{ unit: "input_tokens", usd: "3.5" }],
        tiers: null,
      }),
    ),
  );
  const force = await screen.findByTestId("price-card-in_force");
  await waitFor(() => expect(force.textContent).toContain("Yours"));
  const made = platform.world.changes[0];
  await user.click(await screen.findByTestId("undo"));
  await waitFor(() => expect(revert).toHaveBeenCalledWith(made?.seq, null));
});

test("a price nobody can mean is refused at its field, and nothing is set", async () => {
  const { platform, user } = open("/prices?price=openai%2Fgpt-5.2&edit=true");
  const set = vi.spyOn(platform.commands, "priceSet");
  const output = await screen.findByTestId("rate-output_tokens");
  await user.clear(output);
  await user.type(output, "cheap");
  expect(await screen.findAllByText(/no amount in plain decimal dollars/)).not.toHaveLength(0);
  await waitFor(() => expect(output.getAttribute("aria-invalid")).toBe("true"));
  expect(screen.getByTestId<HTMLButtonElement>("price-apply").disabled).toBe(true);
  expect(set).not.toHaveBeenCalled();
});

test("a planned price is told apart from the one in force and those of the past", async () => {
  open("/prices?price=deepseek%2Fdeepseek-chat");
  expect((await screen.findByTestId("price-card-planned")).textContent).toContain("from");
  expect(screen.getByTestId("price-card-in_force").textContent).toContain("Imported");
  expect(screen.getAllByTestId("price-card-past")).toHaveLength(1);
});

test("a price list is compared first, nothing suspicious is chosen by itself, and the import can be undone", async () => {
  giveHeight();
  const { platform, user } = open("/prices?import=true");
  const apply = vi.spyOn(platform.commands, "priceImportApply");
  const revert = vi.spyOn(platform.commands, "changeRevert");
  fireEvent.change(await screen.findByTestId("import-text"), {
    target: { value: '{"gpt-5.2":{}}' },
  });
  await user.click(screen.getByTestId("import-compare"));

  await user.click(await screen.findByTestId("import-tab-suspicious"));
  const [odd] = await screen.findAllByTestId("import-row");
  const box = within(odd as HTMLElement).getByRole<HTMLInputElement>("checkbox");
  expect(box.checked).toBe(false);

  await user.click(screen.getByTestId("import-tab-changed"));
  const rows = await screen.findAllByTestId("import-row");
  expect(rows[0]?.textContent).toMatch(/−20 %|\+12 %|\+11/);
  const before = screen.getByTestId("import-chosen").textContent;
  act(() => screen.getByTestId("import-table").focus());
  await user.keyboard("j{ }");
  await waitFor(() => expect(screen.getByTestId("import-chosen").textContent).not.toBe(before));

  await user.click(screen.getByTestId("import-apply"));
  const done = await screen.findByTestId("import-done");
  expect(done.textContent).toContain("are taken over from a LiteLLM model map");
  const odds = apply.mock.calls[0]?.[0].targets ?? [];
  expect(odds.length).toBeGreaterThan(0);
  expect(odds).not.toContain(odd?.dataset["rowId"]);
  await user.click(screen.getByTestId("import-undo"));
  await waitFor(() => expect(revert).toHaveBeenCalled());
});

test("what is no price list is said so where it was pasted, and nothing is compared", async () => {
  const { user } = open("/prices?import=true");
  fireEvent.change(await screen.findByTestId("import-text"), { target: { value: "not a list" } });
  await user.click(screen.getByTestId("import-compare"));
  expect(await screen.findByText(/it is not JSON/)).toBeDefined();
  expect(screen.queryByTestId("import-tab-new")).toBeNull();
});

test("prices that cannot be read say so with a way to try again", async () => {
  open("/prices", "error");
  expect(await screen.findByText("The prices could not be read")).toBeDefined();
});

test("a blocked model is named above the list, says which bill was too high, and is used again with one button", async () => {
  giveHeight();
  const { platform, user } = open("/prices");
  const unblock = vi.spyOn(platform.commands, "modelUnblock");
  await user.click(await screen.findByTestId("blocked-anthropic/claude-opus-4-5"));
  const note = await screen.findByTestId("price-block");
  expect(note.textContent).toContain("billed at $0.388");
  expect(note.textContent).toContain("come to $0.0412 at most");
  await user.click(screen.getByTestId("price-unblock"));
  await waitFor(() =>
    expect(unblock).toHaveBeenCalledWith({ target: "anthropic/claude-opus-4-5", reason: null }),
  );
  await waitFor(() => expect(screen.queryByTestId("blocked")).toBeNull());
  expect(screen.queryByTestId("price-block")).toBeNull();
});
