//! Text from outside is data: whatever a program, a provider or a person sends is stored and given back as it is, runs
//! nowhere, forges nothing and breaks nothing.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod probe;
mod wild;

use probe::Logs;
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret;
use serde_json::Value;
use signalbox_app::dto::{self, ExportFormat};
use signalbox_app::{Code, changes, keys, providers, requests};
use wild::{World, chat, hostile};

/// Longest message or finish word of a provider that may be kept. Units: characters.
const WORDS_CHARS_MAX: usize = 500;

/// A user as the ledger keeps it.
fn user_of(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(256).collect()
}

fn is_short_line(text: &str) -> bool {
    text.chars().count() <= WORDS_CHARS_MAX && !text.chars().any(char::is_control)
}

#[tokio::test]
async fn hostile_prompts_answers_users_and_tags_are_stored_and_given_back_as_data() {
    let world = World::new().await;
    for text in hostile() {
        let reply = world.ask("wild/echo", &text).await;
        assert_eq!((reply.status, reply.text()), (200, text.as_str()));
        let detail = world.detail(&reply).await;
        assert_eq!(detail.row.user.unwrap(), user_of(&text));
        let payload = detail.payload.unwrap();
        let request: Value = serde_json::from_str(&payload.request.unwrap()).unwrap();
        let response: Value = serde_json::from_str(&payload.response.unwrap()).unwrap();
        assert_eq!(request["messages"][0]["content"], text);
        assert_eq!(response["choices"][0]["message"]["content"], text);

        let streamed = world.app.send_streamed(world.asking("wild/echo", &text, true)).await.unwrap();
        assert!(streamed.is_whole() && streamed.answer() == text, "{:.200}", streamed.text);

        // Where HTTP lets it through at all, a header's text is data too, within its limits.
        let Ok(header) = HeaderValue::from_bytes(text.replace(',', ";").as_bytes()) else { continue };
        let tag = HeaderValue::from_bytes(&[b"t=", header.as_bytes()].concat()).unwrap();
        let asking = world.asking("wild/echo", "hello", false).header("x-signalbox-user", &header);
        if header.len() > 30_000 {
            // Beyond the limit for headers: refused, or cut off while it is still being sent.
            assert!(world.app.send(asking).await.is_ok_and(|reply| reply.status >= 400));
            continue;
        }
        let reply = world.app.send(asking.header("x-signalbox-tags", tag)).await.unwrap();
        let detail = world.detail(&reply).await;
        let sent = String::from_utf8(header.as_bytes().to_vec()).unwrap();
        assert_eq!(
            (detail.row.user.as_deref(), detail.tags[0].value.as_str()),
            (Some(sent.trim()), sent.trim())
        );
    }
    world.app.verify().await.unwrap();
}

#[tokio::test]
async fn hostile_words_of_a_provider_become_one_short_line() {
    let world = World::new().await;
    for text in hostile() {
        for model in ["wild/error", "wild/plain"] {
            let reply = world.ask(model, &text).await;
            assert!(reply.status >= 400 && reply.code() != "internal_error", "{reply:?}");
            let message = reply.body["error"]["message"].as_str().unwrap();
            let detail = world.detail(&reply).await;
            let attempt = detail.attempts[0].message.as_deref().unwrap();
            assert!(is_short_line(attempt), "{attempt:?}");
            assert!(!message.chars().any(char::is_control) && message.len() < 4_000, "{message:?}");
        }
        let reply = world.ask("wild/finish", &text).await;
        assert_eq!(reply.text(), "Fine.");
        let finish = world.detail(&reply).await.finish_reason.unwrap();
        assert!(is_short_line(&finish), "{finish:.200?}");
    }
    world.app.verify().await.unwrap();
}

#[tokio::test]
async fn what_is_asked_for_with_hostile_text_is_refused_in_a_few_words() {
    let world = World::new().await;
    for text in hostile().into_iter().filter(|text| text != "op:chat_message") {
        let reply = world.app.chat(&text, "hello").await.unwrap();
        let message = reply.body["error"]["message"].as_str().unwrap();
        assert!((400..500).contains(&reply.status) && message.len() < 1_000, "{reply:.500?}");
        let detail = requests::detail(&world.admin, &world.me, &text).await.unwrap_err();
        assert!(detail.message.len() < 1_000);
        let filter = dto::RequestFilter { user: Some(text.clone()), ..Default::default() };
        requests::page(&world.admin, &world.me, filter, None, 10).await.unwrap();
        let filter = dto::RequestFilter { id_prefix: Some(text.clone()), ..Default::default() };
        let _either = requests::page(&world.admin, &world.me, filter, None, 10).await;
        let subject = dto::ChangeFilter { subject: Some(text.clone()), ..Default::default() };
        assert!(changes::page(&world.admin, &world.me, subject, None, 10).await.unwrap().rows.is_empty());
        let cursor =
            changes::page(&world.admin, &world.me, dto::ChangeFilter::default(), Some(text), 10).await;
        assert_eq!(cursor.unwrap_err().code, Code::Invalid);
    }
}

#[tokio::test]
async fn exports_keep_every_text_in_its_cell_and_no_cell_is_a_formula() {
    let world = World::new().await;
    for text in hostile() {
        // Some names are no names; those that are stand in the export.
        if let Ok(made) = world.create_key(&text.chars().take(80).collect::<String>()).await {
            let mut body = chat("wild/echo", "hello");
            body["user"] = Value::String(text);
            assert_eq!(world.ask_with(made.secret.expose_secret(), &body).await.status, 200);
        }
    }
    let rows = world.app.rows().await.unwrap();
    assert!(rows.len() > 10);
    let file = world.export(ExportFormat::Csv).await;
    let mut csv = csv::Reader::from_reader(file.as_slice());
    let records: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    let text = String::from_utf8(world.export(ExportFormat::Jsonl).await).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((records.len(), lines.len()), (rows.len(), rows.len()));
    for cell in records.iter().flatten() {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell}");
    }
    for (row, line) in rows.iter().zip(&lines) {
        let user = row.user.as_deref().unwrap();
        assert_eq!(line["user"].as_str().unwrap().trim_start_matches('\''), user.trim_start_matches('\''));
    }
}

#[tokio::test]
async fn hostile_key_names_and_reasons_are_data_and_the_history_stays_intact() {
    let world = World::new().await;
    for (number, text) in hostile().into_iter().enumerate() {
        match world.create_key(&text).await {
            Ok(made) => {
                assert_eq!(made.key.name, text.trim());
                assert_eq!(world.changes().await.rows[0].subject, text.trim());
                keys::revoke(&world.admin, &world.me, &made.key.id).await.unwrap();
            }
            Err(refused) => assert_eq!(refused.code, Code::Invalid, "{refused}"),
        }
        match world.switch(number % 2 == 0, &text).await {
            Ok(_) => assert_eq!(
                world.changes().await.rows[0].reason.as_deref(),
                Some(text.trim().replace('\0', "\u{fffd}").as_str())
            ),
            Err(refused) => assert_eq!(refused.code, Code::Invalid, "{refused}"),
        }
    }
    let page = world.changes().await;
    assert!(page.chain.intact && page.rows.len() > 40);
    world.app.verify().await.unwrap();
}

#[tokio::test]
async fn text_from_outside_is_in_no_log_line_and_forges_none() {
    let logs = Logs::capture();
    let world = World::new().await;
    for text in hostile() {
        for model in ["wild/echo", "wild/error", "wild/plain", "wild/finish", text.as_str()] {
            world.app.send_streamed(world.asking(model, &text, true)).await.unwrap();
        }
        world.app.chat(&text, "hello").await.unwrap();
        let _either = world.create_key(&text).await;
        let _either = world.switch(true, &text).await;
        let provider = dto::ProviderInput {
            name: text.clone(),
            kind: text.clone(),
            base_url: format!("http://{text}"),
            auth: None,
        };
        providers::add(&world.admin, &world.me, provider).await.unwrap_err();
        for header in
            ["authorization", "x-api-key", "origin", "x-signalbox-user", "x-signalbox-tags", "accept"]
        {
            let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else { continue };
            let _either = world.app.send(world.asking("wild/echo", "x", false).header(header, value)).await;
        }
        let _either = world.app.http.get(world.app.url(&format!("/{text}"))).send().await;
    }
    let log = logs.bytes();
    let raw = |byte: &u8| matches!(byte, b'\r' | b'\0' | 0x1b | 0x07);
    let at = log.iter().position(raw);
    let around = at.map(|at| String::from_utf8_lossy(&log[at.saturating_sub(200)..log.len().min(at + 100)]));
    assert_eq!(around, None);
    let log = String::from_utf8(log).unwrap();
    assert!(log.contains("TRACE") && log.contains("refused"));
    // Prompts, answers and names are in the ledger; the log has only our own words, and so nothing can be forged.
    for word in ["FORGED", "evil.test", "owned", "DROP TABLE", "passwd"] {
        assert!(!log.contains(word), "{word}");
    }
}
