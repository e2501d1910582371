import { type MantineColorScheme, useMantineColorScheme } from "@mantine/core";
import { useCallback } from "react";

export const THEME_CHOICES = [
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
  { value: "auto", label: "System" },
] as const;

/** The theme as chosen (not as resolved), and ways to change it. */
export function useThemeChoice() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const cycle = useCallback(() => {
    const order: MantineColorScheme[] = ["light", "dark", "auto"];
    const next = order[(order.indexOf(colorScheme) + 1) % order.length] ?? "auto";
    setColorScheme(next);
  }, [colorScheme, setColorScheme]);
  return { choice: colorScheme, choose: setColorScheme, cycle };
}
