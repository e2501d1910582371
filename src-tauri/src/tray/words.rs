//! What the tray says. Its lines hold text that programs chose, so they are short, on one line, and mean no key to a menu.

use signalbox_app::dto;
use signalbox_core::approval::visible;
use signalbox_core::money::NanoUsd;

/// Longest name in a line, in characters: a menu is as wide as its longest line.
const NAME_CHARS_MAX: usize = 48;

/// How the gateway stands.
pub fn status(status: &dto::Status) -> String {
    let gateway = match status.gateway {
        _ if status.stopped.is_some() => "AI traffic stopped",
        dto::GatewayState::Starting => "Starting",
        dto::GatewayState::Running => "Running",
        dto::GatewayState::Stopped => "Stopped",
        dto::GatewayState::Sealed => "Sealed",
    };
    let requests = match status.requests_today {
        1 => "1 request".to_owned(),
        many => format!("{many} requests"),
    };
    format!("{gateway} · {} today · {requests}", amount(&status.spend_today).in_dollars())
}

/// How many approvals wait.
pub fn waiting(count: u32) -> String {
    match count {
        0 => "No approval waits".to_owned(),
        1 => "1 approval waits: quick approve…".to_owned(),
        many => format!("{many} approvals wait: quick approve…"),
    }
}

/// One approval: what it is for, and the most it may cost.
pub fn approval(row: &dto::ApprovalRow) -> String {
    match row.kind {
        dto::ApprovalKind::Request => {
            let cost = match &row.max_cost {
                // Exact: a bound that is rounded is none.
                Some(cost) => format!("at most ${}", amount(cost)),
                None => "cost unknown".to_owned(),
            };
            format!("{} · {cost}", name(&row.subject))
        }
        dto::ApprovalKind::Change => format!("Change: {}", name(&row.sentence)),
    }
}

/// The line that stops everything, or leads to where it runs again.
pub const fn kill_switch(is_stopped: bool) -> &'static str {
    if is_stopped { "AI traffic is stopped: resume…" } else { "Stop all AI traffic" }
}

fn amount(money: &dto::Money) -> NanoUsd {
    money.0.parse().map(NanoUsd::from_nanos).unwrap_or_default()
}

/// A name as a menu shows it: one line, nothing hidden, cut, and without a key of the menu (`&` before a letter).
fn name(text: &str) -> String {
    let mut line: String = visible(text).replace(['\n', '\t'], " ");
    if line.chars().count() > NAME_CHARS_MAX {
        line = line.chars().take(NAME_CHARS_MAX - 1).collect();
        line.push('…');
    }
    line.replace('&', "&&")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(kind: &str, subject: &str, max_cost: Option<&str>) -> dto::ApprovalRow {
        serde_json::from_value(json!({
            "id": "apr_1", "hash": "", "kind": kind, "state": "pending", "risk": "low",
            "subject": subject, "sentence": subject, "target": null, "max_cost": max_cost,
            "monthly_impact": null, "submitter": "crm", "origin": "", "created_at": "", "expires_at": "",
            "repeats": 0, "own": false, "decided_by": null, "decided_at": null, "reason": null,
            "decided_target": null, "request_id": null, "undo_until": null,
        }))
        .unwrap()
    }

    #[test]
    fn an_approval_is_told_by_its_operation_and_its_exact_highest_cost() {
        assert_eq!(
            approval(&row("request", "chat_message", Some("421300000"))),
            "chat_message · at most $0.4213"
        );
        assert_eq!(approval(&row("request", "chat_message", None)), "chat_message · cost unknown");
        assert_eq!(
            approval(&row("change", "The budget `All` is $9", None)),
            "Change: The budget `All` is $9"
        );
    }

    #[test]
    fn a_hostile_name_is_one_short_line_that_hides_nothing_and_is_no_key_of_the_menu() {
        let hostile = "&Quit\n\u{202e}evil\u{7}\0".to_owned() + &"x".repeat(9_000);
        let line = approval(&row("request", &hostile, Some("1000000000")));
        assert!(line.starts_with("&&Quit ⟨U+202E⟩evil⟨U+0007⟩⟨U+0000⟩"), "{line}");
        assert!(line.ends_with("… · at most $1"), "its cost is never cut off: {line}");
        assert!(line.chars().count() < NAME_CHARS_MAX + 20, "{line}");
        assert!(!line.contains(char::is_control));
    }

    #[test]
    fn how_many_wait_is_said_in_words() {
        assert_eq!(waiting(0), "No approval waits");
        assert_eq!(waiting(1), "1 approval waits: quick approve…");
        assert_eq!(waiting(12), "12 approvals wait: quick approve…");
    }
}
