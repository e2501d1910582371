//! Governance as an admin uses it, with a secret wherever one can be planted: alert channels, budgets, people, toggles,
//! approvals.

use secrecy::ExposeSecret;
use serde_json::json;
use signalbox_app::dto::{self, AlertSeverity, ChannelMeans, MailSecurity, SecretInput};
use signalbox_app::{
    App, Caller, alert_rules, alerts, approvals, budgets, changes, channels, kill_switch, operations, people,
    settings, toggles,
};
use signalbox_testkit::{MailServer, Receiver, TestApp, chat_body};

use crate::scanner::Seen;

/// The last part of a webhook's URL, which is all it takes to write there.
const DISCORD_TOKEN: &str = "discord-canary-Wq8Rt5Zu2Pk9Lx4Nc7Mb3Vf6Hg1Jd";
const SLACK_TOKEN: &str = "slack-canary-Ys4Ea7Xi2Om9Kp5Bt8Qr3Dw6Fu1Gh";
/// 32 bytes in base64, as a receiver's owner chooses them.
const SIGNING_KEY: &str = "whsec_Q2FuYXJ5S2V5T2ZBV2ViaG9va09mVGVzdHMwMTIzNDU=";
const MAIL_PASSWORD: &str = r#"mail-canary-Kd8 Wq3/Zt6&Lm1"Vx9+Pb4Ny7"#;

/// Tells on every means, well and badly, and shows what became of it. Gives the secrets that were in it.
pub async fn tell_on_every_channel(admin: &App, me: &Caller, seen: &mut Seen) -> Vec<(String, Vec<u8>)> {
    let (receiver, mail) = (Receiver::start().await.unwrap(), MailServer::start().await.unwrap());
    let url = |token: &str| receiver.url(&format!("/api/webhooks/4711/{token}"));
    let email = ChannelMeans::Email {
        host: "localhost".to_owned(),
        port: u32::from(mail.addr.port()),
        security: MailSecurity::None,
        username: Some("desk".to_owned()),
        from: "desk@example.com".to_owned(),
        to: vec!["ann@example.com".to_owned()],
    };
    let webhook = ChannelMeans::Webhook { url: receiver.url("/hook") };
    let mut secrets = Vec::new();
    for (name, means, secret) in [
        ("a Discord channel", ChannelMeans::Discord, url(DISCORD_TOKEN)),
        ("a Slack channel", ChannelMeans::Slack, url(SLACK_TOKEN)),
        ("a webhook", webhook, SIGNING_KEY.to_owned()),
        ("a mailbox", email, MAIL_PASSWORD.to_owned()),
    ] {
        let input = dto::AlertChannelInput {
            name: name.to_owned(),
            enabled: true,
            least: AlertSeverity::Info,
            local: true,
            means: means.clone(),
        };
        let id = seen.command("channel_add", channels::add(admin, me, input).await).unwrap().id;
        // What a person may mistake for it goes nowhere either.
        let misplaced = format!("{secret} \u{7}{secret}");
        let refused = channels::set_secret(admin, me, &id, SecretInput::new(misplaced)).await;
        seen.command("channel_set_secret", refused);
        let set = channels::set_secret(admin, me, &id, SecretInput::new(secret.clone())).await;
        seen.command("channel_set_secret", set).unwrap();
        receiver.answer(204, Vec::new(), "");
        mail.refuse(None);
        let sent = seen.command("channel_test", channels::test(admin, me, &id).await).unwrap();
        assert!(sent.sent, "{name}: {:?}", sent.problem);
        // Whoever receives it repeats what it was sent with.
        receiver.answer(
            403,
            Vec::new(),
            &format!("{secret} is wrong: {}", json!({"key": secret, "at": url(&secret)})),
        );
        mail.refuse(Some(&format!("550 {secret} is nobody")));
        let failed = seen.command("channel_test", channels::test(admin, me, &id).await).unwrap();
        assert!(!failed.sent, "{name}");
        if matches!(means, ChannelMeans::Webhook { .. }) {
            let (channel, key) = channels::renew_signing_key(admin, me, &id).await.unwrap();
            seen.command("channel_renew_signing_key", Ok(channel));
            secrets.push(("a new signing key".to_owned(), key.expose_secret().as_bytes().to_vec()));
        }
    }
    let planted = [
        ("the Discord token", DISCORD_TOKEN),
        ("the Slack token", SLACK_TOKEN),
        ("the signing key", SIGNING_KEY),
        ("the mail password", MAIL_PASSWORD),
    ];
    secrets.extend(planted.map(|(name, secret)| (name.to_owned(), secret.as_bytes().to_vec())));
    let rule = serde_json::from_value(json!({
        "kind": "unpriced_usage", "enabled": true, "severity": "critical", "window_s": 60, "reason": "canary",
    }));
    seen.command("alert_rule_set", alert_rules::set(admin, me, rule.unwrap()).await).unwrap();
    secrets
}

/// Budgets, people, settings and toggles are set, refused and put back.
pub async fn govern(admin: &App, me: &Caller, seen: &mut Seen) {
    let draft = json!({
        "name": "Canaries", "scope": {"kind": "global"}, "period": "day", "limits": {"cost": "5000000000"},
        "thresholds": [], "action": "block", "overrun_percent": 5, "enabled": true, "reason": "canary",
    });
    let draft: dto::BudgetDraft = serde_json::from_value(draft).unwrap();
    seen.command("budget_preview", budgets::preview(admin, me, draft.clone()).await).unwrap();
    let set = budgets::set(admin, me, draft.clone()).await;
    let made = seen.command("budget_set", set).unwrap().applied().unwrap();
    seen.command("budget_set", budgets::set(admin, me, draft).await);
    seen.command("budget_show", budgets::show(admin, me, &made.id, "").await).unwrap();
    let adjust = json!({"id": made.id, "member": "", "amount": "7", "reason": "canary"});
    let adjust = budgets::adjust(admin, me, serde_json::from_value(adjust).unwrap()).await;
    seen.command("budget_adjust", adjust).unwrap();
    let person = json!({"name": "grace", "role": "viewer", "reason": "canary"});
    let added = people::add(admin, me, serde_json::from_value(person.clone()).unwrap()).await;
    seen.command("person_add", added).unwrap();
    seen.command("person_add", people::add(admin, me, serde_json::from_value(person).unwrap()).await);
    for name in ["log_payloads", "advisor_can_approve_costs"] {
        let input = json!({"name": name, "operation": "chat_message", "enabled": true, "reason": "canary"});
        let set = toggles::set(admin, me, serde_json::from_value(input).unwrap()).await;
        seen.command("toggle_set", set);
    }
    let setting = json!({"name": "max_requests", "value": "300", "reason": "canary"});
    let set = settings::set(admin, me, serde_json::from_value(setting).unwrap()).await;
    seen.command("setting_set", set).unwrap();
}

/// Requests that need a person, one answered yes and one no. Afterwards none needs one any more.
pub async fn ask_a_person(app: &TestApp, admin: &App, me: &Caller, key: &str, seen: &mut Seen) {
    let route = operations::find(admin, me, "chat_message").await.unwrap();
    let policy = json!({"always": true, "budget_warned": false, "hold_s": 0, "expires_s": 3_600});
    let policy = serde_json::from_value(policy).unwrap();
    let draft = dto::RouteDraft { approval: Some(policy), reason: None, ..route.draft() };
    seen.command("route_apply", operations::route_apply(admin, me, draft).await).unwrap();
    for says_yes in [true, false] {
        // What the vendor says of a wrong key is asked for, too.
        let body = chat_body("op:chat_message", if says_yes { "refuse" } else { "answer" });
        let request = || app.http.post(app.url("/v1/chat/completions")).bearer_auth(key).json(&body);
        let asked = app.send(request()).await.unwrap();
        seen.bytes("the answer that names an approval", asked.body.to_string());
        let id = asked.body["error"]["approval"]["id"].as_str().unwrap().to_owned();
        let shown = approvals::show(admin, me, &id).await;
        let hash = seen.command("approval_show", shown).unwrap().row.hash;
        if says_yes {
            let input = dto::ApproveInput { id: id.clone(), hash, target: None, reason: None };
            seen.command("approval_approve", approvals::approve(admin, me, input).await).unwrap();
        } else {
            let input = dto::RejectInput { id: id.clone(), hash, reason: "canary".to_owned() };
            seen.command("approval_reject", approvals::reject(admin, me, input).await).unwrap();
        }
        let reply = app.send(request().header("x-signalbox-approval", &id)).await.unwrap();
        seen.bytes("the answer to what was decided", reply.body.to_string());
    }
    let asking = operations::find(admin, me, "chat_message").await.unwrap();
    let draft = dto::RouteDraft { approval: route.approval, ..asking.draft() };
    seen.command("route_apply", operations::route_apply(admin, me, draft).await).unwrap();
    seen.command(
        "kill_switch_engage",
        kill_switch::engage(admin, me, dto::KillSwitchInput { reason: None }).await,
    );
    let typed = dto::KillSwitchReleaseInput { typed: "RESUME".to_owned(), reason: None };
    seen.command("kill_switch_release", kill_switch::release(admin, me, typed).await).unwrap();
}

/// Every screen and export of governance.
pub async fn look_at_it(admin: &App, me: &Caller, seen: &mut Seen) {
    seen.command("channels_list", channels::list(admin, me).await).unwrap();
    seen.command("alert_rules_list", alert_rules::list(admin, me).await).unwrap();
    let page = alerts::page(admin, me, dto::AlertFilter::default(), None, 500).await;
    seen.command("alerts_page", page).unwrap();
    let page = alerts::deliveries(admin, me, dto::DeliveryFilter::default(), None, 500).await;
    seen.command("deliveries_page", page).unwrap();
    seen.command("budgets_list", budgets::list(admin, me).await).unwrap();
    let input = serde_json::from_value(json!({"split": "user", "days": 7})).unwrap();
    seen.command("spend_history", budgets::history(admin, me, input).await).unwrap();
    seen.command("people_list", people::list(admin, me).await).unwrap();
    seen.command("toggles_list", toggles::list(admin, me).await).unwrap();
    seen.command("settings_list", settings::list(admin, me).await).unwrap();
    for list in [dto::ApprovalList::Pending, dto::ApprovalList::Decided] {
        let page = approvals::page(admin, me, list, None, 500).await;
        for row in seen.command("approvals_page", page).unwrap().rows {
            seen.command("approval_show", approvals::show(admin, me, &row.id).await).unwrap();
        }
    }
    for format in [dto::HistoryFormat::Csv, dto::HistoryFormat::Json] {
        let mut file = Vec::new();
        changes::export(admin, me, dto::ChangeFilter::default(), format, &mut file).await.unwrap();
        seen.bytes(format!("the history as {format:?}"), file);
    }
    let at = dto::Instant("2100-01-01T00:00:00Z".to_owned());
    seen.command("state_at", changes::state_at(admin, me, at).await).unwrap();
}
