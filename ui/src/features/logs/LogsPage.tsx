import { Page } from "@/components/Page";

export function LogsPage() {
  return (
    <Page id="logs">
      <p className="muted">Logs</p>
    </Page>
  );
}
