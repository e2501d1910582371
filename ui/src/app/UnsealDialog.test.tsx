import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { openWindow } from "@/test/openWindow";

test("a sealed installation asks for its passphrase at once, says when it is wrong, and keeps nothing of it", async () => {
  const { platform, user } = openWindow("/keys", "sealed");
  const field = await screen.findByTestId<HTMLInputElement>("unseal-secret");
  await user.type(field, "hunter2{Enter}");
  expect((await screen.findByTestId("unseal-key-problem")).textContent).toMatch(/does not open/);
  expect(field.value).toBe("");

  await user.type(field, "correct horse battery{Enter}");
  await waitFor(() => expect(platform.world.sealed).toBe(false));
  await waitFor(() => expect(screen.queryByTestId("unseal-dialog")).toBeNull());
  expect(document.body.innerHTML).not.toContain("correct horse");
});

test("who does not have the passphrase can still look, and give it later", async () => {
  const { user } = openWindow("/keys", "sealed");
  await screen.findByTestId("unseal-secret");
  await user.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByTestId("unseal-secret")).toBeNull());
  expect(await screen.findByTestId("keys-table")).toBeDefined();
  await user.click(screen.getByTestId("status-gateway"));
  expect(await screen.findByTestId("unseal-secret")).toBeDefined();
});
