//! The windows. Each shows our own page and nothing else.

use tauri::webview::NewWindowResponse;
use tauri::{AppHandle, Manager, Runtime, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

use crate::place::Place;

/// The main window's name.
pub const MAIN: &str = "main";

/// Opens a window as `tauri.conf.json` describes it, at a place; it cannot leave our page or open others.
pub fn open<R: Runtime>(
    app: &AppHandle<R>,
    label: &str,
    place: Option<Place>,
) -> Result<(), Box<dyn std::error::Error>> {
    let config = app.config().app.windows.iter().find(|window| window.label == label);
    let mut config = config.ok_or("tauri.conf.json does not describe this window")?.clone();
    if let Some(place) = place {
        config.url = WebviewUrl::App(format!("index.html#{}", place.route()).into());
    }
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

/// Brings the main window to the front and goes to a place in it.
pub fn show_place<R: Runtime>(app: &AppHandle<R>, place: Place) {
    show(app);
    if let Some(window) = app.get_webview_window(MAIN) {
        let _ = window.eval(format!("window.location.hash = '#{}'", place.route()));
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
