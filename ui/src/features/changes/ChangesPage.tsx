import { Page } from "@/components/Page";

export function ChangesPage() {
  return (
    <Page id="changes">
      <p className="muted">Change history</p>
    </Page>
  );
}
