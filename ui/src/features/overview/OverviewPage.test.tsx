import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { openWindow } from "@/test/openWindow";

test("the overview shows its figures, and as a table every value of the chart", async () => {
  const { user } = openWindow("/overview?table=true");
  expect((await screen.findByTestId("figure-spend")).textContent).toMatch(/\$[\d,.]+/);
  expect(await screen.findByRole("grid", { name: "Values over time" })).toBeDefined();
  await user.click(screen.getByTestId("overview-as-table"));
  expect(screen.queryByRole("grid", { name: "Values over time" })).toBeNull();
});

test("without any request the overview leads to the first one", async () => {
  openWindow("/overview", "empty");
  expect(await screen.findByTestId("overview-empty")).toBeDefined();
});

test("a failing backend is said with a way to try again", async () => {
  openWindow("/overview", "error");
  expect(await screen.findByTestId("retry")).toBeDefined();
});
