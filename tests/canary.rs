//! Secrets stay out: canaries are planted as provider credentials, API keys, passphrase, master key and pepper, and as what
//! alert channels are reached with; everything is driven, and then answers, screens, exports, logs and files are searched for them in every form.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod governed;
mod probe;
mod scanner;

use std::fs;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use probe::{Asked, Logs, Said, Vendor};
use scanner::{PIECE_BYTES, Scanner, Seen, json_escaped, url_encoded};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use signalbox_app::dto::{self, ExportFormat, GroupBy, SecretInput};
use signalbox_app::{
    App, Caller, Source, changes, export, keys, models, operations, overview, providers, requests, secrets,
    status, trial,
};
use signalbox_testkit::{TestApp, chat_body, message_body};

/// Characters that JSON and URLs escape, in the right credential and in the wrong one.
const CREDENTIAL: &str = r#"sk-canary-Zq7Lw9Vt3XnJ/Pm5Rk8Ny2Hd4Uc6Ea"Sx9Kv4Qe7Mb1Gf3Td&Wj5Ly8Bn2Cz6Ru4Hp"#;
const WRONG_CREDENTIAL: &str = r"sk-canary-Ab3Ce5Gh7Jk9Lm2Np\Qr4St6Uv8Wx1Yz3Bd5Fg+Hj7Kl9Mn2Pq4Rs6Tv8Wy";
/// In the form of ours, but never made.
const UNKNOWN_KEY: &str = "sbx_live_Xk4Vb8Nm2Cq6Wz9Lf3Hd7Jt5Rp1Gy4Sx8Eu2Ao6Ti";
/// A key's owner's own, refused by the vendor, which repeats it.
const OWN_CREDENTIAL: &str = r#"sk-own-canary-Hn3Yt8Qb5Vw/Xk2Rm7Lc"Zs9Df4Gj+Pe6Ua1Tq&Mo8Bi5Ny3Kh7Wv"#;
/// Over the master key.
const PASSPHRASE: &str = "canary Tj5 Rk8 battery Wm2 Xq7 staple & 9Zp";
/// What the vendor is told to do wrong, in a prompt.
const MOODS: [&str; 5] = ["answer", "refuse", "break", "fail", "fail late"];

/// A vendor that repeats the header with the key in everything that goes wrong.
fn echo(asked: &Asked) -> Said {
    let key = asked.credential.trim_start_matches("Bearer ");
    let quoted = json!({"headers": {"authorization": &asked.credential}});
    let url = String::from_utf8(url_encoded(key.as_bytes(), true)).unwrap();
    let message = format!(
        "Wrong key {key}, begins with {}…, in {quoted}, from ?key={url}",
        key.get(..20).unwrap_or_default()
    );
    let error =
        json!({"type": "error", "error": {"message": message, "type": "authentication_error", "code": key}});
    if asked.path.ends_with("/models") {
        return if key == CREDENTIAL {
            Said::json(200, &json!({"data": []}))
        } else {
            Said::json(401, &error)
        };
    }
    // The limit of stored messages falls into the key.
    let late = json!({"error": {"message": format!("{} {key}", "x".repeat(480)), "type": "server_error"}});
    let anthropic = asked.path.ends_with("/messages");
    match (asked.says(), asked.wants_stream()) {
        ("refuse", _) => Said::json(401, &error),
        ("break", _) => {
            Said::plain(500, format!("authorization: {}\r\nx-api-key: {key}\r\n", asked.credential))
        }
        ("fail", true) => Said::events(&[error]),
        ("fail late", true) => Said::events(&[delta(anthropic), late]),
        ("fail late", false) => Said::json(200, &late),
        ("fail", false) => Said::json(200, &error),
        (_, true) => Said::events(&[delta(anthropic)]),
        _ if anthropic => Said::json(200, &json!({"content": [{"type": "text", "text": "Fine."}]})),
        _ => Said::json(200, &json!({"choices": [{"message": {"content": "Fine."}}]})),
    }
}

fn delta(anthropic: bool) -> Value {
    if anthropic {
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Well"}})
    } else {
        json!({"choices": [{"index": 0, "delta": {"content": "Well"}}]})
    }
}

#[test]
fn the_scanner_finds_every_form_of_a_secret_and_pieces_of_twelve_characters() {
    let scanner = Scanner::new(&[("the credential".to_owned(), CREDENTIAL.as_bytes().to_vec())]);
    let escaped = json_escaped(CREDENTIAL);
    let forms = [
        CREDENTIAL.to_owned(),
        STANDARD.encode(CREDENTIAL),
        STANDARD.encode(format!("Bearer {CREDENTIAL}")),
        URL_SAFE_NO_PAD.encode(format!("key:{CREDENTIAL}")),
        hex::encode(CREDENTIAL),
        hex::encode_upper(CREDENTIAL),
        String::from_utf8(url_encoded(CREDENTIAL.as_bytes(), true)).unwrap(),
        String::from_utf8(url_encoded(CREDENTIAL.as_bytes(), false)).unwrap(),
        json_escaped(&escaped),
        escaped,
    ];
    for form in &forms {
        let planted = format!("\u{0}SQLite format 3 {form}\r\n…");
        assert!(scanner.find(planted.as_bytes()).is_some(), "{form} is not found");
    }
    for piece in CREDENTIAL.as_bytes().windows(PIECE_BYTES) {
        assert!(scanner.find(&[b"before", piece, b"after"].concat()).is_some(), "{piece:?} is not found");
    }
    let hint = format!("…{}", &CREDENTIAL[CREDENTIAL.len() - 4..]);
    assert_eq!(scanner.find(hint.as_bytes()), None);
    assert_eq!(scanner.find(&CREDENTIAL.as_bytes()[7..][..PIECE_BYTES - 1]), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_answers_screens_exports_logs_or_files() {
    let logs = Logs::capture();
    let app = TestApp::start().await.unwrap();
    app.log_payloads().await.unwrap();
    let admin = App::with_engine(Arc::clone(&app.engine)).unwrap();
    let me = Caller::local(Source::Window);
    let mut seen = Seen::default();
    let mut secrets = vec![
        ("the credential".to_owned(), CREDENTIAL.as_bytes().to_vec()),
        ("the wrong credential".to_owned(), WRONG_CREDENTIAL.as_bytes().to_vec()),
        ("an unknown key".to_owned(), UNKNOWN_KEY.as_bytes().to_vec()),
        ("an owner's own credential".to_owned(), OWN_CREDENTIAL.as_bytes().to_vec()),
        ("the passphrase".to_owned(), PASSPHRASE.as_bytes().to_vec()),
    ];
    let vendor = Vendor::start(echo).await;

    set_up_providers(&admin, &me, &vendor.url, &mut seen).await;
    let made = make_keys(&admin, &me, &mut seen).await;
    secrets.extend(made.iter().cloned().map(|key| ("an API key".to_owned(), key.into_bytes())));
    secrets.push(("the first API key".to_owned(), app.key.clone().into_bytes()));
    governed::ask_a_person(&app, &admin, &me, &made[2], &mut seen).await;
    for key in made.iter().map(String::as_str).chain([UNKNOWN_KEY]) {
        drive_gateway(&app, key, &mut seen).await;
    }
    secrets.extend(governed::tell_on_every_channel(&admin, &me, &mut seen).await);
    governed::govern(&admin, &me, &mut seen).await;
    let input = dto::TestRequest { operation: "op:chat_message".to_owned(), message: "refuse".to_owned() };
    seen.command("send_test_request", trial::send_test_request(&admin, &me, input).await);
    look_at_everything(&admin, &me, &mut seen).await;
    governed::look_at_it(&admin, &me, &mut seen).await;
    let master_key = fs::read_to_string(app.data_dir().join("master.key")).unwrap();
    put_under_a_passphrase(&admin, &me, &mut seen).await;
    seen.bytes("the engine (Debug)", format!("{:?} {admin:?} {:?}", app.engine, app.engine.live()));

    seen.files("while running", app.data_dir());
    app.stop().await;
    app.engine.control.store.close().await;
    seen.files("after the end", app.data_dir());
    seen.bytes("the log", logs.bytes());

    let pepper = app.engine.control.vault.get("api-key-pepper", "").unwrap().unwrap();
    for (name, text) in [("the master key", master_key.trim()), ("the pepper", pepper.expose_secret())] {
        secrets.push((name.to_owned(), text.as_bytes().to_vec()));
        secrets.push((format!("{name}'s bytes"), hex::decode(text).unwrap()));
    }

    // The drive went where it should: errors with the key in them arrived, were kept, and were cleaned.
    assert!(seen.has("request_detail", "[credential]"));
    assert!(seen.has("provider_verify", "[credential]"));
    assert!(seen.has("the answer", "all_targets_failed") && seen.has("the answer", "has been revoked"));
    assert!(seen.has("the file signalbox.sqlite-wal while", "[credential]") && seen.has("the log", "TRACE"));
    assert!(seen.has("the file secrets.json", "ciphertext"));
    assert!(seen.has("channel_test", "[secret]") && seen.has("deliveries_page", "[secret]"));
    assert!(seen.has("approval_show", "chat_message") && seen.has("the history as Csv", "canary"));
    let scanner = Scanner::new(&secrets);
    let leaks = seen.leaks(&scanner);
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

async fn set_up_providers(admin: &App, me: &Caller, url: &str, seen: &mut Seen) {
    for (name, kind, base_url) in
        [("echo", "openai", format!("{url}/v1")), ("echo2", "anthropic", url.to_owned())]
    {
        let provider = |base_url: &str| dto::ProviderInput {
            name: name.to_owned(),
            kind: kind.to_owned(),
            base_url: base_url.to_owned(),
            auth: None,
        };
        for secret in [CREDENTIAL, WRONG_CREDENTIAL] {
            let secret = String::from_utf8(url_encoded(secret.as_bytes(), true)).unwrap();
            for misplaced in [format!("https://user:{secret}@host"), format!("https://host/v1?key={secret}")]
            {
                seen.command("provider_add", providers::add(admin, me, provider(&misplaced)).await);
            }
        }
        seen.command("provider_add", providers::add(admin, me, provider(&base_url)).await).unwrap();
        for secret in [format!("{CREDENTIAL}\nx"), WRONG_CREDENTIAL.to_owned(), format!(" {CREDENTIAL}\n")] {
            let secret = SecretInput::new(secret);
            seen.bytes("SecretInput (Debug)", format!("{secret:?}"));
            let set = providers::set_credential(admin, me, name, secret).await;
            seen.command("provider_set_credential", set);
            let checked = providers::verify(admin, me, name).await;
            seen.command("provider_verify", checked).unwrap();
        }
        let model =
            json!({"provider": name, "model": "m", "input_usd_per_mtok": "1", "output_usd_per_mtok": "2"});
        let model = serde_json::from_value(model).unwrap();
        seen.command("model_add", models::add(admin, me, model).await).unwrap();
    }
    let operation = operations::find(admin, me, "chat_message").await.unwrap();
    let target = |provider: &str| dto::DraftTarget::of(provider, "m");
    let draft = dto::RouteDraft {
        enabled: true,
        targets: vec![target("echo"), target("echo2")],
        reason: Some("canary".to_owned()),
        ..operation.draft()
    };
    seen.command("route_preview", operations::route_preview(admin, me, draft.clone()).await).unwrap();
    seen.command("route_apply", operations::route_apply(admin, me, draft).await).unwrap();
    let last = changes::page(admin, me, dto::ChangeFilter::default(), None, 1).await.unwrap().rows[0].seq;
    seen.command("change_revert", changes::revert(admin, me, last, None).await).unwrap();
    let again = changes::revert(admin, me, last + 1, Some("Back again".to_owned())).await;
    seen.command("change_revert", again).unwrap();
}

async fn put_under_a_passphrase(admin: &App, me: &Caller, seen: &mut Seen) {
    let given = |text: &str| SecretInput::new(text.to_owned());
    let short = secrets::protect(admin, me, given(&PASSPHRASE[..11])).await;
    seen.command("secrets_protect", short);
    seen.command("secrets_protect", secrets::protect(admin, me, given(PASSPHRASE)).await).unwrap();
    let wrong = secrets::unseal(admin, me, given(&format!("{PASSPHRASE}!"))).await;
    assert!(seen.command("secrets_unseal", wrong).is_none());
    seen.command("secrets_unseal", secrets::unseal(admin, me, given(PASSPHRASE)).await).unwrap();
    seen.command("status", status::status(admin, me).await).unwrap();
}

/// A key that lives, one that is revoked, and both secrets of a rotated one whose owner brings a credential.
async fn make_keys(admin: &App, me: &Caller, seen: &mut Seen) -> Vec<String> {
    let mut made = Vec::new();
    let owned =
        keys::create(admin, me, dto::KeyInput { name: "owned".to_owned(), ..dto::KeyInput::default() });
    let owned = owned.await.unwrap();
    let id = owned.key.id.as_str();
    for secret in [format!("{OWN_CREDENTIAL} x"), OWN_CREDENTIAL.to_owned()] {
        let set = keys::set_own_credential(admin, me, id, "echo", SecretInput::new(secret)).await;
        seen.command("key_set_own_credential", set);
    }
    let rotated = keys::rotate(admin, me, dto::KeyRotation { id: id.to_owned(), overlap_hours: 1 }).await;
    let rotated = rotated.unwrap();
    seen.bytes("KeyMade (Debug)", format!("{rotated:?}"));
    seen.command("key_rotate", Ok(rotated.key.clone()));
    made.extend([owned, rotated].map(|key| key.secret.expose_secret().to_owned()));
    for name in ["lives", "revoked"] {
        let input = dto::KeyInput { name: name.to_owned(), ..dto::KeyInput::default() };
        let key = keys::create(admin, me, input).await.unwrap();
        seen.bytes("KeyMade (Debug)", format!("{key:?}"));
        seen.command("key_create", Ok(key.key.clone()));
        made.push(key.secret.expose_secret().to_owned());
        if name == "revoked" {
            seen.command("key_revoke", keys::revoke(admin, me, &key.key.id).await).unwrap();
        }
    }
    made
}

/// Both surfaces, complete and streamed, over a chain and pinned, in every mood of the vendor.
async fn drive_gateway(app: &TestApp, key: &str, seen: &mut Seen) {
    for mood in MOODS {
        for (path, of) in [
            ("/v1/chat/completions", chat_body as fn(&str, &str) -> Value),
            ("/v1/messages", message_body as fn(&str, &str) -> Value),
        ] {
            for (model, stream) in
                [("op:chat_message", true), ("echo/m", true), ("echo2/m", false), ("echo/m", false)]
            {
                let mut body = of(model, mood);
                body["stream"] = json!(stream);
                let request = app.http.post(app.url(path)).header("x-signalbox-operation", "chat_message");
                let request =
                    if stream { request.bearer_auth(key) } else { request.header("x-api-key", key) };
                let answer = app.send_streamed(request.json(&body)).await.unwrap();
                let shown = format!("{} {:?}\n{}", answer.status, answer.headers, answer.text);
                seen.bytes(format!("the answer to {mood} on {path}"), shown);
            }
        }
    }
}

async fn look_at_everything(admin: &App, me: &Caller, seen: &mut Seen) {
    let at = seen.command("status", status::status(admin, me).await).unwrap().at;
    for group_by in [GroupBy::Operation, GroupBy::Provider, GroupBy::Model] {
        let from = dto::Instant("2020-01-01T00:00:00Z".to_owned());
        let query = dto::OverviewQuery { from, to: at.clone(), group_by, bucket: None };
        seen.command("overview", overview::overview(admin, me, query).await);
    }
    if let Some(engine) = admin.engine() {
        engine.caught_up().await;
    }
    let page = requests::page(admin, me, dto::RequestFilter::default(), None, 500).await;
    for row in seen.command("requests_page", page).unwrap().rows {
        seen.command("request_detail", requests::detail(admin, me, &row.id).await).unwrap();
    }
    seen.command("request_facets", requests::facets(admin, me).await).unwrap();
    seen.command("operations_list", operations::list(admin, me).await).unwrap();
    seen.command("target_options", operations::target_options(admin, me).await).unwrap();
    seen.command("providers_list", providers::list(admin, me).await).unwrap();
    seen.command("provider_presets", providers::presets(admin, me)).unwrap();
    seen.command("models_list", models::list(admin, me).await).unwrap();
    seen.command("keys_list", keys::list(admin, me).await).unwrap();
    seen.command("changes_page", changes::page(admin, me, dto::ChangeFilter::default(), None, 500).await)
        .unwrap();
    seen.command("change_verify", changes::verify(admin, me).await).unwrap();
    for format in [ExportFormat::Csv, ExportFormat::Jsonl] {
        let mut file = Vec::new();
        export::write(admin, me, dto::RequestFilter::default(), format, &mut file).await.unwrap();
        seen.bytes(format!("the export as {format:?}"), file);
    }
}
