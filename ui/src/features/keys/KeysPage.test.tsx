import { act, screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { openWindow } from "@/test/openWindow";

test("a new key is handed over once, and the dialog stays until it is said to be stored", async () => {
  const { platform, user } = openWindow("/keys?create=true");
  const create = vi.spyOn(platform.commands, "keyCreate");
  await user.type(await screen.findByTestId("key-name"), "support-desk");
  await user.click(screen.getByTestId("key-create-submit"));
  await waitFor(() =>
    expect(create).toHaveBeenCalledWith({ name: "support-desk", operations: [] }),
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
