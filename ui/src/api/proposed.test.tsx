import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { callProposed } from "./proposed";

test("a change that waits for another admin is said, with the way to the queue", async () => {
  render(
    <MantineProvider env="test">
      <Notifications />
    </MantineProvider>,
  );
  const request = { approval: "apr_1", sentence: "gpt moves to first" };
  const made = await callProposed(
    Promise.resolve({ status: "ok", data: { outcome: "asked", request } }),
  );
  expect(made).toBeNull();
  expect(await screen.findByText("Asked for approval")).toBeDefined();
  const link = screen.getByRole("link", { name: "Open it in the queue" });
  expect(link.getAttribute("href")).toBe("#/approvals?approval=apr_1");
});

test("a change that is in force is what it made", async () => {
  const made = callProposed(
    Promise.resolve({ status: "ok", data: { outcome: "applied", value: 7 } }),
  );
  expect(await made).toBe(7);
});
