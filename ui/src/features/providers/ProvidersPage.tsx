import { Page } from "@/components/Page";

export function ProvidersPage() {
  return (
    <Page id="providers">
      <p className="muted">Providers</p>
    </Page>
  );
}
