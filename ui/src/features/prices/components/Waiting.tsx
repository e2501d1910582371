import { useTimeout } from "@mantine/hooks";
import { type ReactNode, useState } from "react";

/** A wait shorter than this needs no words. */
const SHOW_AFTER_MS = 1_000;

/** What is shown of a wait once it has become one. */
export function Waiting({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState(false);
  useTimeout(() => setShown(true), SHOW_AFTER_MS, { autoInvoke: true });
  return shown ? children : null;
}
