use proptest::prelude::*;

use super::*;

/// 2026-11-21, a Saturday, 13:59:59.999999.
fn saturday() -> Timestamp {
    Timestamp::parse("2026-11-21T13:59:59.999999Z").unwrap()
}

fn condition(text: &str) -> Condition {
    Condition::new(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> InvalidCondition {
    Condition::new(text).expect_err(text)
}

fn evaluated(text: &str, change: impl FnOnce(&mut Features<'_>)) -> Result<bool, ConditionFault> {
    let tags = [("team".to_owned(), "growth".to_owned()), ("env".to_owned(), "prod".to_owned())];
    let bound = Bound { tokens_in: 499, tokens_out_max: 4_096, ..Bound::default() };
    let mut features = Features {
        user: Some("ada"),
        key: Some("crm"),
        tags: &tags,
        ..Features::of(Surface::OpenaiChat, bound)
    };
    change(&mut features);
    let operation = OperationId::new("email_analysis").unwrap();
    condition(text).is_met(&Facts { operation: &operation, features: &features, now: saturday() })
}

fn is_met(text: &str) -> bool {
    evaluated(text, |_| {}).unwrap()
}

#[test]
fn a_condition_sees_everything_it_may_look_at() {
    for text in [
        "complexity == \"simple\" && input_tokens < 500",
        "max_output_tokens == 4096",
        "!has_images && !has_audio && !has_tools && !json_output && !streamed",
        "user == \"ada\" && key == 'crm'",
        "operation == \"email_analysis\" && surface == \"openai_chat\"",
        "tags.team == \"growth\" && tags[\"env\"] == \"prod\" && size(tags) == 2",
        "\"team\" in tags && !(\"other\" in tags)",
        "has(tags.team) && !has(tags.other)",
        "hour_utc == 13 && weekday_utc == 6",
        "user in [\"bob\", \"ada\"]",
        "user.startsWith(\"a\") && user.endsWith('a') && user.contains(\"d\") && size(user) == 3",
        "input_tokens + max_output_tokens * 2 > 8000 ? true : false",
        "string(input_tokens) == \"499\" && int(\"7\") == 7",
        "user == \"größe 漢字 🦀\" || true",
    ] {
        assert!(is_met(text), "{text}");
    }
    assert!(evaluated("user == \"größe 🦀\"", |features| features.user = Some("größe 🦀")).unwrap());
    assert!(!is_met("input_tokens < 499"));
    assert!(is_met("input_tokens <= 499"));
    assert!(evaluated("has_images", |features| features.has_images = true).unwrap());
    assert!(evaluated("has_audio", |features| features.has_audio = true).unwrap());
    assert!(evaluated("has_tools", |features| features.has_tools = true).unwrap());
    assert!(evaluated("json_output", |features| features.json_output = true).unwrap());
    assert!(evaluated("streamed", |features| features.streamed = true).unwrap());
    assert!(
        evaluated("user == \"\" && key == \"\"", |features| {
            features.user = None;
            features.key = None;
        })
        .unwrap()
    );
}

#[test]
fn every_variable_that_is_listed_has_a_value() {
    for (name, _, _) in VARIABLES {
        assert!(is_met(&format!("{name} == {name}")), "{name}");
    }
}

#[test]
fn days_and_hours_are_those_of_utc() {
    let at = |text: &str| Timestamp::parse(text).unwrap();
    assert_eq!((weekday_utc(at("1970-01-01T00:00:00Z")), hour_utc(at("1970-01-01T00:00:00Z"))), (4, 0));
    assert_eq!(weekday_utc(at("2026-11-22T23:59:59Z")), 7);
    assert_eq!(weekday_utc(at("2026-11-23T00:00:00Z")), 1);
    assert_eq!((weekday_utc(at("1969-12-31T23:00:00Z")), hour_utc(at("1969-12-31T23:00:00Z"))), (3, 23));
}

#[test]
fn a_label_the_request_does_not_have_is_a_fault_that_names_it_and_no_match() {
    let fault = evaluated("tags.department == \"x\"", |_| {}).unwrap_err();
    assert!(fault.to_string().contains("department"), "{fault}");
    assert!(!is_met("has(tags.department) && tags.department == \"x\""));
}

#[test]
fn division_by_zero_and_overflow_are_faults_and_no_match() {
    assert!(evaluated("input_tokens / (max_output_tokens - 4096) == 1", |_| {}).is_err());
    assert!(evaluated("input_tokens * 9223372036854775807 == 1", |_| {}).is_err());
}

#[test]
fn what_can_never_work_is_refused_when_it_is_written() {
    assert!(matches!(refused("input_tokens < \"500\""), InvalidCondition::WrongTypes(_)));
    assert!(matches!(refused("user && true"), InvalidCondition::WrongTypes(_)));
    assert_eq!(refused("input_tokens"), InvalidCondition::NotYesOrNo("a number"));
    assert_eq!(refused("user"), InvalidCondition::NotYesOrNo("a text"));
    assert_eq!(refused("[true]"), InvalidCondition::NotYesOrNo("a list"));
    assert_eq!(refused("tags"), InvalidCondition::NotYesOrNo("texts by name"));
    assert_eq!(refused("  \n "), InvalidCondition::Empty);
}

#[test]
fn an_unknown_name_is_refused_with_what_is_known() {
    let error = refused("inpt_tokens < 500");
    assert!(matches!(&error, InvalidCondition::UnknownVariable { name, .. } if name == "inpt_tokens"));
    assert!(error.to_string().contains("input_tokens, max_output_tokens, has_images"), "{error}");
    assert!(matches!(refused("a.b.c == 1"), InvalidCondition::UnknownVariable { .. }));
    assert!(matches!(refused("user.matches(\"a+\")"), InvalidCondition::UnknownFunction(_)));
    assert!(matches!(refused("dyn(user) == \"a\""), InvalidCondition::UnknownFunction(_)));
}

#[test]
fn a_fault_of_writing_is_refused_with_its_place() {
    let InvalidCondition::Syntax { line, column, message } = refused("user ==\n  \"a\" &&&& has_tools")
    else {
        panic!("not a syntax error");
    };
    assert_eq!(line, 2);
    assert!(column > 1 && !message.is_empty());
    for text in ["user == \"a", "(", ")", "user user", "&&", "user == 'a' ;", "1 +", "\u{0}", "if x then y"] {
        assert!(Condition::new(text).is_err(), "{text:?}");
    }
}

#[test]
fn loops_are_refused_because_nothing_bounds_their_cost() {
    for text in [
        "tags.all(input_tokens, true)",
        "tags.exists(user, user == \"a\")",
        "[1, 2].map(user, user) == [1]",
        "[1, 2].filter(user, true) == [1]",
        "[1].exists_one(user, true)",
    ] {
        assert!(matches!(refused(text), InvalidCondition::Unsupported(_)), "{text}");
    }
    assert!(matches!(refused("{\"a\": 1} == {\"a\": 1}"), InvalidCondition::Unsupported(_)));
}

#[test]
fn a_thousand_characters_are_read_and_one_more_is_not() {
    let long = |chars: usize| format!("user == \"{}\"", "é".repeat(chars - 10));
    assert_eq!(long(CHARS_MAX).chars().count(), CHARS_MAX);
    condition(&long(CHARS_MAX));
    assert_eq!(refused(&long(CHARS_MAX + 1)), InvalidCondition::TooLong);
    assert_eq!(refused(&"(".repeat(1_000_000)), InvalidCondition::TooLong);
    assert_eq!(refused(&"é".repeat(CHARS_MAX * 2 + 1)), InvalidCondition::TooLong);
}

#[test]
fn brackets_stand_24_deep_and_not_25() {
    let nested = |depth: usize| format!("{}true{}", "(".repeat(depth), ")".repeat(depth));
    assert!(is_met(&nested(BRACKETS_DEEP_MAX)));
    assert_eq!(refused(&nested(BRACKETS_DEEP_MAX + 1)), InvalidCondition::TooDeep);
    let lists = |depth: usize| format!("size({}{}) == 1", "[".repeat(depth), "]".repeat(depth));
    condition(&lists(BRACKETS_DEEP_MAX - 1));
    assert_eq!(refused(&lists(BRACKETS_DEEP_MAX)), InvalidCondition::TooDeep);
    assert_eq!(refused(&"[".repeat(500)), InvalidCondition::TooDeep);
    assert_eq!(refused(&"{".repeat(500)), InvalidCondition::TooDeep);
}

#[test]
fn chains_have_200_steps_and_not_201() {
    let sum = |plus: usize| format!("{}1 > 0", "1+".repeat(plus));
    assert!(is_met(&sum(STEPS_MAX - 1)));
    assert_eq!(refused(&sum(STEPS_MAX)), InvalidCondition::TooManySteps);
    let not = |count: usize| format!("{}true", "!".repeat(count));
    assert!(is_met(&not(STEPS_MAX)));
    assert_eq!(refused(&not(STEPS_MAX + 1)), InvalidCondition::TooManySteps);
    assert_eq!(refused(&format!("{}1 == 1", "-".repeat(500))), InvalidCondition::TooManySteps);
    assert_eq!(refused(&format!("tags{} == 1", ".a".repeat(400))), InvalidCondition::TooManySteps);
    let choices = |count: usize| format!("{}true", "true?true:".repeat(count));
    condition(&choices(80));
    assert_eq!(refused(&choices(99)), InvalidCondition::TooDeep);
    let indexed = format!("tags{} == \"a\"", "[user]".repeat(100));
    condition(&indexed);
}

#[test]
fn nothing_hides_nesting_from_the_check() {
    let deep = "(".repeat(24);
    for text in [
        format!("\"\"\"a\"{}\"\"\" == user || {deep}(true)", ")".repeat(24)),
        format!("'''a'{}''' == user || {deep}(true)", ")".repeat(24)),
        format!("r\"\\\" == \"{}\" || {deep}(true)", ")".repeat(24)),
        format!("{deep} // {}\n ((((true", ")".repeat(24)),
        format!("\"a\\\"{}\" == user || {deep}(true)", ")".repeat(24)),
    ] {
        let error = refused(&text);
        assert!(matches!(error, InvalidCondition::Unsupported(_)), "{text}: {error}");
    }
    let in_strings = format!("user == \"{}\" || key == '{}'", "(".repeat(300), "]".repeat(300));
    condition(&in_strings);
    condition("user == \"https://example.com\" || user == 'a\"b' || user == \"a'b\"");
}

#[test]
fn hostile_conditions_are_read_and_evaluated_on_a_small_stack() {
    let hostile = [
        format!("{}true{}", "(".repeat(24), ")".repeat(24)),
        format!("{}true", "!".repeat(STEPS_MAX)),
        format!("{}1 > 0", "1+".repeat(STEPS_MAX - 1)),
        format!("{}true", "true?true:".repeat(99)),
        format!("{}true", "true||".repeat(99)),
        format!("user in [{}\"a\"]", "\"a\",".repeat(240)),
        format!("tags{} == \"a\"", "[user]".repeat(100)),
        format!("{}user", "user in ".repeat(124)),
        format!("size({}) == 1", "[".repeat(20) + &"]".repeat(20)),
        "\u{202e}user == \"a\u{200b}\"".to_owned(),
        "1 in ".repeat(199) + "1",
        ",".repeat(999),
        "\"".repeat(999),
        ("a".to_owned() + &"(a".repeat(23)).repeat(10),
        "user".repeat(250),
        "9".repeat(999),
        "1e999 > 0.0".to_owned(),
        "0x7fffffffffffffffff > 0".to_owned(),
    ];
    let reading = std::thread::Builder::new().stack_size(1 << 20).spawn(move || {
        let operation = OperationId::new("chat_message").unwrap();
        let features = Features::of(Surface::OpenaiChat, Bound::default());
        let facts = Facts { operation: &operation, features: &features, now: saturday() };
        for text in hostile {
            if let Ok(condition) = Condition::new(&text) {
                let _ = condition.is_met(&facts);
            }
        }
    });
    reading.unwrap().join().unwrap();
}

#[test]
fn a_condition_is_its_text_in_the_store_and_is_checked_when_it_is_read_back() {
    let original = condition("input_tokens < 500");
    let json = serde_json::to_string(&original).unwrap();
    assert_eq!(json, "\"input_tokens < 500\"");
    let back: Condition = serde_json::from_str(&json).unwrap();
    assert_eq!(back, original);
    assert_ne!(back, condition("input_tokens  < 500"));
    assert_eq!((back.to_string(), back.as_str()), (json.trim_matches('"').to_owned(), "input_tokens < 500"));
    assert!(serde_json::from_str::<Condition>("\"nonsense(\"").is_err());
    let fault = serde_json::from_str::<Condition>("\"nonsense\"").unwrap_err();
    assert!(fault.to_string().contains("`nonsense` is not known here"), "{fault}");
}

#[test]
fn a_condition_crosses_threads_and_is_cheap_to_clone() {
    fn crosses<T: Send + Sync + Clone + 'static>(_: &T) {}
    let condition = condition("has_tools");
    crosses(&condition);
    let clone = condition.clone();
    assert!(Arc::ptr_eq(&condition.program, &clone.program));
}

proptest! {
    #[test]
    fn no_text_brings_it_down(text in "[a-z_\"'().\\[\\]{}!&|?:<>=+*/%, 0-9é\\-]{0,120}") {
        let _ = Condition::new(&text);
    }

    #[test]
    fn no_mixture_of_its_own_words_brings_it_down(words in proptest::collection::vec(proptest::sample::select(vec![
        "user", "tags", "input_tokens", "has_tools", "true", "1", "2.5", "\"a\"", "==", "&&", "||", "!", "(", ")", "[", "]",
        ".", ",", "in", "?", ":", "-", "size", "has", "<", "startsWith", "{", "}", "null", "int",
    ]), 0..60)) {
        if let Ok(condition) = Condition::new(&words.join(" ")) {
            let operation = OperationId::new("chat_message").unwrap();
            let features = Features::of(Surface::OpenaiChat, Bound::default());
            let _ = condition.is_met(&Facts { operation: &operation, features: &features, now: saturday() });
        }
    }
}
