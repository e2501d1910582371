import {
  type CSSVariablesResolver,
  colorsTuple,
  createTheme,
  defaultVariantColorsResolver,
  type VariantColorsResolver,
} from "@mantine/core";

/** Our colours by meaning; each is one CSS variable of tokens.css, so light and dark come for free. */
const MEANINGS = ["accent", "ok", "warn", "critical", "info"] as const;
type Meaning = (typeof MEANINGS)[number];

const variantColorResolver: VariantColorsResolver = (input) => {
  const meaning = MEANINGS.find((name) => name === (input.color ?? "accent"));
  if (!meaning) return defaultVariantColorsResolver(input);
  return variantColors(meaning, input.variant) ?? defaultVariantColorsResolver(input);
};

function variantColors(meaning: Meaning, variant: string) {
  const colour = `var(--${meaning})`;
  const tint = `color-mix(in srgb, ${colour} 10%, transparent)`;
  const deeper = `color-mix(in srgb, ${colour} 18%, transparent)`;
  switch (variant) {
    case "filled":
      return {
        background: colour,
        hover: `color-mix(in srgb, ${colour} 86%, var(--text))`,
        color: "var(--on-accent)",
        border: "1px solid transparent",
      };
    case "light":
      return { background: tint, hover: deeper, color: colour, border: "1px solid transparent" };
    case "outline":
      return {
        background: "transparent",
        hover: tint,
        color: colour,
        border: `1px solid ${colour}`,
      };
    case "subtle":
    case "transparent":
      return {
        background: "transparent",
        hover: variant === "subtle" ? tint : "transparent",
        color: colour,
        border: "1px solid transparent",
      };
    default:
      return undefined;
  }
}

export const theme = createTheme({
  primaryColor: "accent",
  colors: {
    accent: colorsTuple("var(--accent)"),
    ok: colorsTuple("var(--ok)"),
    warn: colorsTuple("var(--warn)"),
    critical: colorsTuple("var(--critical)"),
    info: colorsTuple("var(--info)"),
  },
  variantColorResolver,
  fontFamily: "var(--font-ui)",
  fontFamilyMonospace: "var(--font-mono)",
  fontSizes: { xs: "11px", sm: "12px", md: "13px", lg: "15px", xl: "20px" },
  lineHeights: { xs: "1.45", sm: "1.4", md: "1.54", lg: "1.6", xl: "1.4" },
  spacing: { xs: "4px", sm: "8px", md: "12px", lg: "16px", xl: "24px" },
  radius: { xs: "4px", sm: "6px", md: "6px", lg: "10px", xl: "10px" },
  defaultRadius: "sm",
  focusRing: "auto",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: "sm", fw: 500 } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: false, multiline: true, maw: 360 } },
    // Its own are 10 px high and touch the focus ring of the field.
    InputWrapper: {
      styles: {
        description: { fontSize: 11, lineHeight: "16px", marginBottom: 4 },
        error: { fontSize: 11, lineHeight: "16px" },
      },
    },
    TextInput: { defaultProps: { size: "sm" } },
    Select: { defaultProps: { size: "sm", allowDeselect: false } },
    Modal: {
      defaultProps: {
        centered: true,
        radius: "lg",
        overlayProps: { backgroundOpacity: 0.4 },
        transitionProps: { duration: 120 },
        closeButtonProps: { "aria-label": "Close" },
      },
    },
    // Its placeholder for the first focus is no child that a menu may have.
    Menu: {
      defaultProps: { transitionProps: { duration: 80 }, withInitialFocusPlaceholder: false },
    },
    Popover: { defaultProps: { transitionProps: { duration: 80 } } },
  },
});

/** Mantine's dark components name shades of its own palette; these are the places they stand for. */
const DARK = {
  "--mantine-color-white": "var(--text)",
  "--mantine-color-dark-0": "var(--text)",
  "--mantine-color-dark-1": "var(--muted)",
  "--mantine-color-dark-2": "var(--muted)",
  "--mantine-color-dark-3": "var(--muted)",
  "--mantine-color-dark-4": "var(--border)",
  "--mantine-color-dark-5": "color-mix(in srgb, var(--text) 14%, var(--surface))",
  "--mantine-color-dark-6": "var(--surface)",
  "--mantine-color-dark-7": "var(--surface)",
  "--mantine-color-dark-8": "var(--sunken)",
  "--mantine-color-dark-9": "var(--sunken)",
};

/** Points Mantine's own variables at our tokens, so that no default colour of its survives. */
export const cssVariablesResolver: CSSVariablesResolver = () => {
  const shared = {
    "--mantine-color-body": "var(--surface)",
    "--mantine-color-text": "var(--text)",
    "--mantine-color-bright": "var(--text)",
    "--mantine-color-dimmed": "var(--muted)",
    "--mantine-color-placeholder": "var(--muted)",
    "--mantine-color-anchor": "var(--accent)",
    "--mantine-color-default": "var(--surface)",
    "--mantine-color-default-hover": "color-mix(in srgb, var(--text) 5%, var(--surface))",
    "--mantine-color-default-color": "var(--text)",
    "--mantine-color-default-border": "var(--border)",
    "--mantine-color-error": "var(--critical)",
    "--mantine-color-disabled": "var(--sunken)",
    "--mantine-color-disabled-color": "var(--muted)",
    "--mantine-color-disabled-border": "var(--line)",
    "--mantine-color-gray-filled": "var(--muted)",
    "--mantine-color-gray-light": "var(--hover)",
    "--mantine-color-gray-light-hover": "var(--pressed)",
    "--mantine-color-gray-light-color": "var(--muted)",
    "--mantine-color-gray-text": "var(--muted)",
    "--mantine-primary-color-filled": "var(--accent)",
    "--mantine-primary-color-filled-hover": "var(--accent-hover)",
    "--mantine-primary-color-contrast": "var(--on-accent)",
    "--mantine-primary-color-light": "var(--accent-bg)",
    "--mantine-primary-color-light-hover": "var(--accent-bg)",
    "--mantine-primary-color-light-color": "var(--accent)",
    "--mantine-color-white": "var(--surface)",
  };
  return { variables: {}, light: shared, dark: { ...shared, ...DARK } };
};
