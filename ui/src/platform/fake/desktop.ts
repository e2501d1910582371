import type { Commands } from "../types";
import { type Answer, ok } from "./answer";
import type { World } from "./world";

/** A desktop with a tray and a shortcut; a new one has neither, as on Wayland without a panel. */
export function desktopCommands(
  world: World,
  answer: Answer,
): Pick<Commands, "desktopShow" | "desktopSet"> {
  const offers = world.mode !== "empty";
  let closeToTray = true;
  const shown = () => ok({ has_tray: offers, close_to_tray: closeToTray, has_shortcut: offers });
  return {
    desktopShow: () => answer(shown),
    desktopSet: ({ close_to_tray }) =>
      answer(() => {
        closeToTray = close_to_tray;
        return shown();
      }),
  };
}
