//! The windows. Each shows our own page and nothing else.

use tauri::webview::NewWindowResponse;
use tauri::{AppHandle, Manager, Runtime, WebviewWindow, WebviewWindowBuilder};

/// The main window's name.
pub const MAIN: &str = "main";

/// A screen that the main window can be sent to from outside of it.
#[derive(Debug, Clone, Copy)]
pub enum Screen {
    /// The queue of approvals.
    Approvals,
}

impl Screen {
    /// Its address within the page.
    const fn route(self) -> &'static str {
        match self {
            Self::Approvals => "/approvals",
        }
    }
}

/// Opens a window as `tauri.conf.json` describes it; it cannot leave our page or open others.
pub fn open<R: Runtime>(app: &AppHandle<R>, label: &str) -> Result<(), Box<dyn std::error::Error>> {
    let config = app.config().app.windows.iter().find(|window| window.label == label);
    let config = config.ok_or("tauri.conf.json does not describe this window")?.clone();
    WebviewWindowBuilder::from_config(app, &config)?
        .on_navigation(|url| is_our_page(url.scheme(), url.host_str()))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .build()?;
    Ok(())
}

/// Brings the main window to the front.
pub fn show<R: Runtime>(app: &AppHandle<R>) {
    if let Some(window) = app.get_webview_window(MAIN) {
        to_front(&window);
    }
}

/// Brings the main window to the front and goes to a screen in it.
pub fn show_screen<R: Runtime>(app: &AppHandle<R>, screen: Screen) {
    show(app);
    if let Some(window) = app.get_webview_window(MAIN) {
        let _ = window.eval(format!("window.location.hash = '#{}'", screen.route()));
    }
}

/// Shows a window above the others, wherever it was.
pub fn to_front<R: Runtime>(window: &WebviewWindow<R>) {
    let _ = window.unminimize();
    let _ = window.show();
    let _ = window.set_focus();
}

/// The embedded page, or the development server of a development build.
fn is_our_page(scheme: &str, host: Option<&str>) -> bool {
    match scheme {
        "tauri" => host == Some("localhost"),
        "http" | "https" => {
            host == Some("tauri.localhost")
                || (cfg!(not(feature = "custom-protocol")) && host == Some("localhost"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_cannot_leave_our_page() {
        assert!(is_our_page("tauri", Some("localhost")));
        for (scheme, host) in [
            ("https", Some("example.com")),
            ("http", Some("tauri.localhost.evil.example")),
            ("file", None),
            ("javascript", None),
            ("data", None),
        ] {
            assert!(!is_our_page(scheme, host), "{scheme} {host:?}");
        }
    }
}
