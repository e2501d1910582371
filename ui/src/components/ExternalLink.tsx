import { IconExternalLink } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { notifyFailure, notifySuccess } from "@/lib/notices";
import { platform } from "@/platform";

type Props = { href: string; children: ReactNode };

/** A web page, opened in the person's browser; the window itself never leaves Signalbox. */
export function ExternalLink({ href, children }: Props) {
  if (!/^https?:\/\//.test(href)) return <span>{children}</span>;
  return (
    <a
      href={href}
      rel="noreferrer"
      title={href}
      onClick={(event) => {
        event.preventDefault();
        void open(href);
      }}
    >
      {children}{" "}
      <IconExternalLink
        size={12}
        aria-label="(opens in the browser)"
        style={{ verticalAlign: -1 }}
      />
    </a>
  );
}

async function open(href: string): Promise<void> {
  try {
    await platform().openExternal(href);
  } catch {
    await platform()
      .copyText(href)
      .then(
        () =>
          notifySuccess(
            "Link copied",
            "No browser could be opened from here, so the address was copied.",
          ),
        () => notifyFailure("The link was not opened", href),
      );
  }
}
