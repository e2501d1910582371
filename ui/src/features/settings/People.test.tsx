import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { openWindow } from "@/test/openWindow";

test("somebody is let in, gets another role and is shut out; who sits at the machine stays", async () => {
  const { platform, user } = openWindow("/settings");
  const update = vi.spyOn(platform.commands, "personUpdate");
  const local = await screen.findByTestId("person-local");
  expect(within(local).getByRole("combobox", { hidden: true })).toHaveProperty("disabled", true);
  expect(within(local).queryByText("Shut out")).toBeNull();

  await user.type(screen.getByTestId("person-name"), "Carla");
  await user.click(screen.getByTestId("person-add"));
  expect(await screen.findByText(/Lower-case letters, digits and \. - _ @\.$/)).toBeDefined();
  await user.clear(screen.getByTestId("person-name"));
  await user.type(screen.getByTestId("person-name"), "carla");
  await user.click(screen.getByTestId("person-add"));
  const carla = await screen.findByTestId("person-carla");

  await user.click(within(carla).getByTestId("person-disable-carla"));
  const dialog = await screen.findByRole("dialog", { name: /Shut carla out/ });
  await user.click(within(dialog).getByRole("button", { name: "Shut out" }));
  await waitFor(() =>
    expect(update).toHaveBeenCalledWith(expect.objectContaining({ name: "carla", enabled: false })),
  );
  expect(await within(carla).findByText("Let in again")).toBeDefined();
});
