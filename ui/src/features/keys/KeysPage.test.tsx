import { act, screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { openWindow } from "@/test/openWindow";

test("a new key is handed over once, and the dialog stays until it is said to be stored", async () => {
  const { platform, user } = openWindow("/keys?create=true");
  const create = vi.spyOn(platform.commands, "keyCreate");
  await user.type(await screen.findByTestId("key-name"), "support-desk");
  await user.click(screen.getByTestId("key-create-submit"));
  await waitFor(() =>
    expect(create).toHaveBeenCalledWith({ name: "support-desk", scope: {}, limits: {} }),
  );

  const stored = await screen.findByTestId("key-stored");
  await user.keyboard("{Escape}");
  expect(screen.queryByTestId("key-stored")).not.toBeNull();
  await user.click(stored);
  await waitFor(() => expect(screen.queryByTestId("key-stored")).toBeNull());
});

test("a key is revoked only after its name was typed, and says so in the list", async () => {
  const { platform, router, user } = openWindow("/keys");
  const [key] = platform.world.keys;
  if (!key) throw new Error("the made-up world has no key");
  await screen.findByTestId("keys-table");
  await act(() => router.navigate({ to: "/keys", search: { key: key.id } }));

  await user.click(await screen.findByTestId("key-detail-revoke"));
  const confirm = await screen.findByTestId<HTMLButtonElement>("key-revoke-confirm");
  expect(confirm.disabled).toBe(true);
  await user.type(screen.getByTestId("key-revoke-name"), key.name);
  await user.click(confirm);
  await waitFor(() => expect(platform.world.keys[0]?.revoked_at).not.toBeNull());
  await waitFor(() => expect(screen.queryByTestId("key-detail-revoke")).toBeNull());
});

test("without a clipboard the dialog names the file that holds the key", async () => {
  const { platform, user } = openWindow("/keys?create=true");
  const make = platform.commands.keyCreate.bind(platform.commands);
  vi.spyOn(platform.commands, "keyCreate").mockImplementation(async (input) => {
    const made = await make(input);
    if (made.status === "error") return made;
    return { status: "ok", data: { ...made.data, copied: false, saved_to: "/tmp/new.key" } };
  });
  await user.type(await screen.findByTestId("key-name"), "server{Enter}");
  expect((await screen.findByTestId("key-file")).textContent).toContain("/tmp/new.key");
});

test("a taken name is said at the field, and nothing that was typed is lost", async () => {
  const { platform, user } = openWindow("/keys?create=true");
  vi.spyOn(platform.commands, "keyCreate").mockResolvedValue({
    status: "error",
    error: { code: "already_exists", message: "There is a key named `ci` already.", details: [] },
  });
  const name = await screen.findByTestId<HTMLInputElement>("key-name");
  await user.type(name, "ci{Enter}");
  expect(await screen.findByText("There is a key named `ci` already.")).toBeDefined();
  expect(name.value).toBe("ci");
});

test("a key is made with limits, and a limit that lets nothing through is said at its field", async () => {
  const { platform, user } = openWindow("/keys?create=true");
  await user.type(await screen.findByTestId("key-name"), "nightly");
  await user.type(screen.getByTestId("key-limit-rate"), "0");
  await user.click(screen.getByTestId("key-create-submit"));
  await screen.findByText("A limit of 0 lets nothing through; revoke the key instead.");

  await user.clear(screen.getByTestId("key-limit-rate"));
  await user.type(screen.getByTestId("key-limit-rate"), "30");
  await user.type(screen.getByTestId("key-limit-size"), "1.5{Enter}");
  await screen.findByTestId("key-stored");
  expect(platform.world.keys[0]?.limits).toEqual({
    requests_per_minute: 30,
    concurrent: null,
    body_bytes: 1536,
  });
});

test("a key is made together with its budget per day, and its sheet shows what binds it", async () => {
  const { platform, router, user } = openWindow("/keys?create=true");
  const create = vi.spyOn(platform.commands, "keyCreate");
  await user.type(await screen.findByTestId("key-name"), "nightly");
  await user.type(screen.getByTestId("key-budget"), "much{Enter}");
  await screen.findByText("An amount in US dollars, such as 5 or 0.25.");
  expect(create).not.toHaveBeenCalled();

  await user.clear(screen.getByTestId("key-budget"));
  await user.type(screen.getByTestId("key-budget"), "2.50{Enter}");
  await user.click(await screen.findByTestId("key-stored"));
  expect(create).toHaveBeenCalledWith(expect.objectContaining({ budget_per_day: "2500000000" }));
  const key = platform.world.keys[0]?.id;
  await act(() => router.navigate({ to: "/keys", search: { key } }));
  const budgets = await screen.findByTestId("key-budgets");
  expect(budgets.textContent).toContain("$2.50 left of $2.50 per day");
  expect(budgets.textContent).toContain("Everything");
});

test("a key without a budget leads to the editor of one for it", async () => {
  const { router, user } = openWindow("/keys?key=key_01j9x00000000000000000001");
  await user.click(await screen.findByTestId("key-add-budget"));
  await waitFor(() => expect(router.state.location.pathname).toBe("/budgets"));
  const editor = await screen.findByTestId("budget-editor");
  await waitFor(() => expect(editor.textContent).toContain("API key"));
});

test("limits of a key are changed later, and the change can be undone", async () => {
  const { platform, user } = openWindow("/keys?key=key_01j9x00000000000000000001");
  const key = platform.world.keys.find((known) => known.name === "support-desk");
  const rate = await screen.findByTestId<HTMLInputElement>("key-limit-rate");
  expect(rate.value).toBe("600");
  await user.clear(rate);
  await user.type(rate, "5");
  await user.click(screen.getByTestId("key-limits-save"));
  await waitFor(() => expect(key?.limits.requests_per_minute).toBe(5));
  await waitFor(() =>
    expect(screen.getByTestId<HTMLButtonElement>("key-limits-save").disabled).toBe(true),
  );

  await user.click(await screen.findByTestId("undo"));
  await waitFor(() => expect(key?.limits.requests_per_minute).toBe(600));
  await waitFor(() =>
    expect(screen.getByTestId<HTMLInputElement>("key-limit-rate").value).toBe("600"),
  );
});

test("a key is rotated with an overlap, handed over once, and the overlap can be ended", async () => {
  const { platform, user } = openWindow("/keys?key=key_01j9x00000000000000000001");
  const rotate = vi.spyOn(platform.commands, "keyRotate");
  const key = platform.world.keys.find((known) => known.name === "support-desk");
  await user.click(await screen.findByTestId("key-detail-rotate"));
  await user.click(await screen.findByTestId("key-rotate-confirm"));
  await waitFor(() => expect(rotate).toHaveBeenCalledWith({ id: key?.id, overlap_hours: 24 }));
  const stored = await screen.findByTestId("key-stored");
  await user.keyboard("{Escape}");
  expect(screen.queryByTestId("key-stored")).not.toBeNull();
  await user.click(stored);
  await waitFor(() => expect(screen.queryByTestId("key-stored")).toBeNull());

  expect(key?.former?.last4).toBe("9f3a");
  await user.click(await screen.findByTestId("key-end-overlap"));
  await user.click(await screen.findByRole("button", { name: "End overlap" }));
  await waitFor(() => expect(key?.former).toBeNull());
});

test("a scope is changed later, and the change can be undone", async () => {
  const { platform, user } = openWindow("/keys?key=key_01j9x00000000000000000001");
  const key = platform.world.keys.find((known) => known.name === "support-desk");
  await user.click(await screen.findByTestId("key-detail-scope"));
  const owner = await screen.findByTestId<HTMLInputElement>("key-owner");
  expect(owner.value).toBe("Support team");
  await user.clear(owner);
  await user.type(owner, "Ada");
  await user.click(screen.getByTestId("key-expires-30"));
  await user.click(screen.getByTestId("key-scope-save"));
  await waitFor(() => expect(key?.owner).toBe("Ada"));
  expect(key?.expires_at).not.toBeNull();

  await user.click(await screen.findByTestId("undo"));
  await waitFor(() => expect(key?.owner).toBe("Support team"));
  expect(key?.expires_at).toBeNull();
});

test("an own credential is typed into a field that is emptied, and removed after a question", async () => {
  const { platform, user } = openWindow("/keys?key=key_01j9x00000000000000000001");
  const set = vi.spyOn(platform.commands, "keySetOwnCredential");
  const key = platform.world.keys.find((known) => known.name === "support-desk");
  await user.click(await screen.findByTestId("key-own-add"));
  await user.click(await screen.findByTestId("key-own-provider"));
  await user.click(await screen.findByRole("option", { name: "deepseek" }));
  await user.type(await screen.findByTestId("key-own-secret"), "sk-own-secret-4242");
  await user.click(screen.getByTestId("key-own-secret-save"));
  await waitFor(() => expect(set).toHaveBeenCalledWith(key?.id, "deepseek", "sk-own-secret-4242"));
  expect((await screen.findByTestId("key-own")).textContent).toContain("…4242");
  expect(document.body.innerHTML).not.toContain("sk-own-secret");

  await user.click(screen.getByTestId("key-own-remove"));
  await user.click(await screen.findByRole("button", { name: "Remove credential" }));
  await waitFor(() => expect(key?.own_credentials).toEqual([]));
});
