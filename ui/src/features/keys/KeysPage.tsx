import { Page } from "@/components/Page";

export function KeysPage() {
  return (
    <Page id="keys">
      <p className="muted">API keys</p>
    </Page>
  );
}
