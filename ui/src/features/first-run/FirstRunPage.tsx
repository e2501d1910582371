import { Page } from "@/components/Page";

export function FirstRunPage() {
  return (
    <Page id="first-run">
      <p className="muted">FirstRunPage</p>
    </Page>
  );
}
