import { QueryObserver } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { createQueryClient } from "./client";
import { refreshTags } from "./tags";

test("a change during a fetch is read as well, once that fetch is done", async () => {
  const client = createQueryClient();
  const answers: ((value: string) => void)[] = [];
  const observer = new QueryObserver<string>(client, {
    queryKey: ["target_options"],
    queryFn: () => new Promise<string>((resolve) => answers.push(resolve)),
  });
  const stop = observer.subscribe(() => undefined);

  const refreshed = refreshTags(client, new Set(["providers"] as const));
  answers[0]?.("read before the change");
  await expect.poll(() => answers.length).toBe(2);
  answers[1]?.("read after it");
  await refreshed;

  expect(client.getQueryData(["target_options"])).toBe("read after it");
  expect(answers).toHaveLength(2);
  stop();
});
