import { screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { openWindow as open } from "@/test/openWindow";

const SECRET = "sk-typed-by-a-person-4f2a";

test("a well-known provider is added, given a pasted key, checked, and leads on to its first model", async () => {
  const { platform, router, user } = open("/providers");
  await user.click(await screen.findByTestId("provider-add"));
  await user.type(await screen.findByTestId("preset-search"), "gro");
  await user.click(await screen.findByTestId("preset-groq"));
  await user.click(await screen.findByTestId("provider-add-submit"));
  await user.click(await screen.findByTestId("provider-paste-key"));

  const result = await screen.findByTestId("provider-check-result");
  await waitFor(() => expect(result.textContent).toContain("23 models found"));
  expect(platform.world.providers.find(({ name }) => name === "groq")?.credential.state).toBe(
    "set",
  );

  await user.click(screen.getByTestId("provider-first-model"));
  await user.type(await screen.findByTestId("model-name"), "llama-4");
  await user.type(screen.getByTestId("model-input-price"), "0.27");
  await user.click(screen.getByTestId("model-submit"));
  expect(await screen.findByText("Needed too; 0 means free.")).toBeDefined();
  await user.type(screen.getByTestId("model-output-price"), "1.1");
  await user.click(screen.getByTestId("model-submit"));
  expect(await screen.findByTestId("provider-use")).toBeDefined();

  await user.click(screen.getByTestId("provider-done"));
  await waitFor(() => expect(router.state.location.search).toEqual({ provider: "groq" }));
});

test("a typed key is in no state of the page once it was sent", async () => {
  const { platform, client, user } = open("/providers?add=true");
  const set = vi.spyOn(platform.commands, "providerSetCredential");
  await user.click(await screen.findByTestId("preset-mistral"));
  await user.type(await screen.findByTestId("provider-secret"), SECRET);
  await user.click(screen.getByTestId("provider-secret-save"));

  await screen.findByTestId("provider-check-result");
  expect(set).toHaveBeenCalledWith("mistral", SECRET);
  const kept = client
    .getMutationCache()
    .getAll()
    .map(({ state }) => state);
  expect(JSON.stringify(kept)).not.toContain(SECRET);
  expect(document.body.innerHTML).not.toContain(SECRET);
});

test("a refused key says so and asks for another", async () => {
  const { user } = open("/providers?add=true");
  await user.click(await screen.findByTestId("preset-mistral"));
  await user.type(await screen.findByTestId("provider-secret"), "sk-mistyped-0bad");
  await user.click(screen.getByTestId("provider-secret-save"));

  const result = await screen.findByTestId("provider-check-result");
  expect(result.textContent).toContain("Key refused");
  await user.click(screen.getByTestId("provider-other-key"));
  expect(await screen.findByTestId("provider-paste-key")).toBeDefined();
});

test("a custom provider at a wrong address is moved, which asks for its key again", async () => {
  const { user } = open("/providers?add=true");
  await user.click(await screen.findByTestId("preset-custom"));
  await user.type(await screen.findByTestId("provider-name"), "mine");
  await user.type(screen.getByTestId("provider-base-url"), "http://wrong.example/v1");
  await user.click(screen.getByTestId("provider-add-submit"));
  expect(await screen.findByText(/would send the key unencrypted/)).toBeDefined();
  await user.clear(screen.getByTestId("provider-base-url"));
  await user.type(screen.getByTestId("provider-base-url"), "https://wrong.example/v1");
  await user.click(screen.getByTestId("provider-add-submit"));
  await user.click(await screen.findByTestId("provider-paste-key"));

  expect((await screen.findByTestId("provider-check-result")).textContent).toContain("/v1");
  await user.click(screen.getByTestId("provider-move"));
  await user.clear(await screen.findByTestId("provider-base-url"));
  await user.type(screen.getByTestId("provider-base-url"), "https://right.example/v1");
  expect(screen.getByTestId("base-url-warning").textContent).toContain("will be removed");
  await user.click(screen.getByTestId("provider-base-url-save"));
  expect(await screen.findByTestId("provider-paste-key")).toBeDefined();
});

test("a server on this computer needs no key", async () => {
  const { user } = open("/providers?add=true");
  await user.click(await screen.findByTestId("preset-ollama"));
  await user.click(await screen.findByTestId("provider-add-submit"));
  await user.click(await screen.findByTestId("provider-no-key"));
  expect((await screen.findByTestId("provider-check-result")).textContent).toContain("Works");
});

test("a provider that routes use is not removed, and the dialog says why", async () => {
  const { user } = open("/providers?provider=deepseek");
  await user.click(await screen.findByTestId("provider-remove"));
  await user.type(await screen.findByTestId("provider-remove-name"), "deepseek");
  await user.click(screen.getByTestId("provider-remove-confirm"));
  const own = await screen.findByTestId("provider-remove-own-credentials");
  expect(own.textContent).toContain("laptop of Ines");
  const problem = await screen.findByTestId("provider-remove-problem");
  expect(problem.textContent).toContain("still a target");
});

test("a preset whose key travels in a header of its own says so, with what has to be filled in", async () => {
  const { platform, user } = open("/providers?add=true");
  const add = vi.spyOn(platform.commands, "providerAdd");
  await user.click(await screen.findByTestId("preset-azure"));
  expect(await screen.findByText(/name of your resource/)).toBeDefined();
  expect(screen.getByTestId<HTMLInputElement>("provider-auth-header").value).toBe("api-key");
  await user.clear(screen.getByTestId("provider-base-url"));
  await user.type(
    screen.getByTestId("provider-base-url"),
    "https://mine.openai.azure.com/openai/v1",
  );
  await user.click(screen.getByTestId("provider-add-submit"));
  await waitFor(() =>
    expect(add).toHaveBeenCalledWith(
      expect.objectContaining({ name: "azure", auth: { scheme: "header", name: "api-key" } }),
    ),
  );
});

test("how many calls a provider gets at once is set, shown on its card, and taken back", async () => {
  const { platform, user } = open("/providers?provider=openai");
  await user.type(await screen.findByTestId("provider-limit"), "8");
  await user.click(screen.getByTestId("provider-limit-save"));
  const card = screen.getByTestId("provider-card-openai");
  await waitFor(() => expect(card.textContent).toMatch(/Calls in use \d+ of 8/));
  await user.click(await screen.findByTestId("undo"));
  const found = platform.world.providers.find(({ name }) => name === "openai");
  await waitFor(() => expect(found?.max_concurrent).toBeNull());
});
