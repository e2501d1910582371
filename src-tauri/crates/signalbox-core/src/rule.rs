//! Conditions on requests, as an admin writes them: `complexity == "simple" && input_tokens < 500`.
//!
//! The language is the Common Expression Language (CEL) without loops: a condition looks at a request and says yes or no,
//! in time that its length bounds. The parser and the evaluator recurse, and a stack that overflows takes the process with
//! it, so length, nesting and the number of operators are bounded *before* anything is parsed. A condition is parsed once,
//! when it is read; whoever holds one can evaluate it.

mod source;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, LazyLock};

use cel::common::ast::{Expr, IdedExpr};
use cel::common::types::{CelBool, CelDouble, CelInt, CelMap, CelMapKey, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::{Context, Env, ExecutionError, ParseErrors, Program, Value};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use source::{BRACKETS_DEEP_MAX, CHARS_MAX, STEPS_MAX};

use crate::approval::ApprovalFacts;
use crate::decide::Features;
use crate::ids::OperationId;
use crate::ledger::Surface;
use crate::meter::Bound;
use crate::money::{NANOS_PER_USD, NanoUsd};
use crate::operation::{Capability, Criticality, Operation};
use crate::time::{MICROS_PER_SECOND, Timestamp};

/// What a condition can look at: name, type, and what it is.
pub const VARIABLES: &[(&str, &str, &str)] = &[
    ("input_tokens", "number", "tokens that go in, counted from above"),
    ("max_output_tokens", "number", "tokens that may come out"),
    ("has_images", "true or false", "whether it contains images"),
    ("has_audio", "true or false", "whether it contains sound"),
    ("has_tools", "true or false", "whether the model may call tools"),
    ("json_output", "true or false", "whether the answer must be JSON"),
    ("streamed", "true or false", "whether the answer comes as it is made"),
    ("user", "text", "for whom, as the client says; \"\" when it does not"),
    ("key", "text", "name of the API key; \"\" for this window's own requests"),
    ("operation", "text", "the operation, e.g. \"chat_message\""),
    ("surface", "text", "the API it came through, e.g. \"openai_chat\""),
    ("tags", "texts by name", "the client's labels: tags.team == \"growth\", \"team\" in tags"),
    ("complexity", "text", "\"simple\", \"moderate\" or \"complex\""),
    ("hour_utc", "number", "hour of the day in UTC, 0 to 23"),
    ("weekday_utc", "number", "day of the week in UTC, 1 (Monday) to 7 (Sunday)"),
];

/// What a rule about approvals can look at besides, in place of the operation's bare name.
pub const APPROVAL_VARIABLES: &[(&str, &str, &str)] = &[
    (
        "operation",
        "texts by name",
        "operation.id, operation.criticality (low, medium, high), operation.capability",
    ),
    ("estimate_usd", "number", "the most it may cost in dollars; more than any number when nobody knows"),
    ("budget_warned", "true or false", "whether a budget that pays for it has passed its warning"),
];

/// What an approval's rule sees of the operation.
const OPERATION_FIELDS: [&str; 3] = ["id", "criticality", "capability"];

/// What a condition can call beside its operators.
pub const FUNCTIONS: &[&str] = &["size", "contains", "startsWith", "endsWith", "int", "string", "has"];

const OPERATORS: &[&str] = &[
    "_?_:_", "_&&_", "_||_", "!_", "_-_", "_+_", "_*_", "_/_", "_%_", "_==_", "_!=_", "_>=_", "_<=_", "_>_",
    "_<_", "-_", "_[_]", "@in",
];

/// Characters of a foreign text that go into a message.
const SHOWN_CHARS: usize = 200;

/// A condition on a request. Two are equal when they are written the same.
#[derive(Clone)]
pub struct Condition {
    text: Arc<str>,
    program: Arc<Program>,
}

/// A text that is no condition, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCondition {
    /// Nothing was written.
    #[error("a condition must not be empty")]
    Empty,
    /// Longer than [`CHARS_MAX`].
    #[error("a condition has at most {CHARS_MAX} characters")]
    TooLong,
    /// More nested than [`BRACKETS_DEEP_MAX`].
    #[error("brackets may stand at most {BRACKETS_DEEP_MAX} deep, and choices (? :) not much deeper")]
    TooDeep,
    /// More operators than [`STEPS_MAX`].
    #[error("a condition has at most {STEPS_MAX} operators, dots and brackets")]
    TooManySteps,
    /// A part of the language that conditions do without.
    #[error("a condition has no {0}")]
    Unsupported(&'static str),
    /// It cannot be parsed.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// A name that means nothing here.
    #[error("`{name}` is not known here. Known are: {known}")]
    UnknownVariable {
        /// As it was written.
        name: String,
        /// What is known.
        known: String,
    },
    /// A function that cannot be called here.
    #[error("`{0}()` cannot be called here. What can: {functions}", functions = FUNCTIONS.join(", "))]
    UnknownFunction(String),
    /// It is about values that do not go together.
    #[error("{0}")]
    WrongTypes(String),
    /// It gives something else than yes or no.
    #[error("a condition must be true or false, this one is {0}")]
    NotYesOrNo(&'static str),
}

/// Why a condition could not be evaluated for a request. It counts as not met.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConditionFault(String);

/// What a condition looks at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// What kind of work it is.
    pub operation: &'a OperationId,
    /// What the request is like.
    pub features: &'a Features<'a>,
    /// When it came.
    pub now: Timestamp,
}

impl Condition {
    /// Reads a condition.
    ///
    /// Errors: [`InvalidCondition`], in words for whoever wrote it.
    pub fn new(text: &str) -> Result<Self, InvalidCondition> {
        let condition = Self::parse(text, &[VARIABLES])?;
        with_any_facts(|facts, _| condition.check_types(facts))?;
        Ok(condition)
    }

    /// Reads a condition on a request whose cost has been estimated.
    ///
    /// Errors: [`InvalidCondition`], in words for whoever wrote it.
    pub(crate) fn for_approval(text: &str) -> Result<Self, InvalidCondition> {
        let condition = Self::parse(text, &[VARIABLES, APPROVAL_VARIABLES])?;
        check_operation(condition.program.expression())?;
        with_any_facts(|_, facts| condition.check_types(facts))?;
        Ok(condition)
    }

    fn parse(text: &str, known: &[Vocabulary]) -> Result<Self, InvalidCondition> {
        source::check(text)?;
        let program = ENVIRONMENT.compile(text).map_err(|errors| syntax_fault(&errors))?;
        check_names(program.expression(), known)?;
        Ok(Self { text: Arc::from(text), program: Arc::new(program) })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a request meets it.
    ///
    /// Errors: [`ConditionFault`], e.g. for a tag the request does not have; then it is not met.
    pub fn is_met(&self, facts: &Facts<'_>) -> Result<bool, ConditionFault> {
        self.is_met_by(facts)
    }

    pub(crate) fn is_met_by(&self, facts: &dyn VariableResolver) -> Result<bool, ConditionFault> {
        match self.evaluate(facts) {
            Ok(Value::Bool(is_met)) => Ok(is_met),
            Ok(other) => Err(ConditionFault(format!("it is {}, not true or false", name_of(&other)))),
            Err(error) => Err(ConditionFault(shortened(&error.to_string()))),
        }
    }

    fn evaluate(&self, facts: &dyn VariableResolver) -> Result<Value, ExecutionError> {
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        context.set_variable_resolver(facts);
        self.program.execute(&context)
    }

    /// Tries it on a request, so that what can never work is refused when it is written and not met for ever after.
    fn check_types(&self, facts: &dyn VariableResolver) -> Result<(), InvalidCondition> {
        match self.evaluate(facts) {
            // A tag this request happens not to have is no fault of the condition.
            Ok(Value::Bool(_)) | Err(ExecutionError::NoSuchKey(_)) => Ok(()),
            Ok(other) => Err(InvalidCondition::NotYesOrNo(name_of(&other))),
            Err(error) => Err(InvalidCondition::WrongTypes(shortened(&error.to_string()))),
        }
    }
}

/// Names with their types and meanings.
type Vocabulary = &'static [(&'static str, &'static str, &'static str)];

/// Something to try a condition on.
fn with_any_facts(
    check: impl FnOnce(&Facts<'_>, &ApprovalFacts<'_>) -> Result<(), InvalidCondition>,
) -> Result<(), InvalidCondition> {
    let Ok(id) = OperationId::new("chat_message") else { return Ok(()) };
    let operation = Operation {
        id,
        description: String::new(),
        capability: Capability::Chat,
        criticality: Criticality::Low,
        enabled: true,
        batch_eligible: false,
        cacheable: false,
        cache_ttl_s: None,
        allowed_providers: BTreeSet::new(),
    };
    let features = Features::of(Surface::OpenaiChat, Bound::default());
    let facts = Facts { operation: &operation.id, features: &features, now: Timestamp::default() };
    let priced = ApprovalFacts { facts, operation: &operation, estimate: Some(NanoUsd::ZERO), warned: &[] };
    check(&facts, &priced)
}

/// The standard functions; building them takes longer than any condition.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

impl Facts<'_> {
    /// Every variable with its value as a rule would write it, for people.
    pub fn named(&self) -> Vec<(String, String)> {
        let features = self.features;
        let quoted = |text: &str| format!("{text:?}");
        let tags: Vec<String> =
            features.tags.iter().map(|(name, value)| format!("{name:?}: {value:?}")).collect();
        [
            ("input_tokens", features.bound.tokens_in.to_string()),
            ("max_output_tokens", features.bound.tokens_out_max.to_string()),
            ("complexity", quoted(features.complexity().as_str())),
            ("has_images", features.has_images.to_string()),
            ("has_audio", features.has_audio.to_string()),
            ("has_tools", features.has_tools.to_string()),
            ("json_output", features.json_output.to_string()),
            ("streamed", features.streamed.to_string()),
            ("user", quoted(features.user.unwrap_or_default())),
            ("key", quoted(features.key.unwrap_or_default())),
            ("operation", quoted(self.operation.as_str())),
            ("surface", quoted(features.surface.as_str())),
            ("tags", format!("{{{}}}", tags.join(", "))),
            ("hour_utc", hour_utc(self.now).to_string()),
            ("weekday_utc", weekday_utc(self.now).to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}

impl VariableResolver for Facts<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let features = self.features;
        let number = |number: u64| CowVal::owned(CelInt::from(i64::try_from(number).unwrap_or(i64::MAX)));
        let yes_or_no = |yes: bool| CowVal::owned(CelBool::from(yes));
        let text = |text: &'b str| CowVal::owned(CelString::from(text));
        let value = match variable {
            "input_tokens" => number(features.bound.tokens_in),
            "max_output_tokens" => number(features.bound.tokens_out_max),
            "has_images" => yes_or_no(features.has_images),
            "has_audio" => yes_or_no(features.has_audio),
            "has_tools" => yes_or_no(features.has_tools),
            "json_output" => yes_or_no(features.json_output),
            "streamed" => yes_or_no(features.streamed),
            "user" => text(features.user.unwrap_or_default()),
            "key" => text(features.key.unwrap_or_default()),
            "operation" => text(self.operation.as_str()),
            "surface" => text(features.surface.as_str()),
            "tags" => CowVal::owned(tags(features.tags)),
            "complexity" => text(features.complexity().as_str()),
            "hour_utc" => number(hour_utc(self.now)),
            "weekday_utc" => number(weekday_utc(self.now)),
            _ => return None,
        };
        Some(value)
    }
}

impl VariableResolver for ApprovalFacts<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        match variable {
            "operation" => {
                let operation = self.operation;
                let values =
                    [operation.id.as_str(), operation.criticality.as_str(), operation.capability.as_str()];
                Some(CowVal::owned(texts_by_name(OPERATION_FIELDS.into_iter().zip(values))))
            }
            "estimate_usd" => Some(CowVal::owned(CelDouble::from(dollars(self.estimate)))),
            "budget_warned" => Some(CowVal::owned(CelBool::from(!self.warned.is_empty()))),
            other => self.facts.resolve(other),
        }
    }
}

/// What CEL compares numbers as.
type CelNumber = f64;

/// For a comparison in a rule only: no amount is ever made of it.
#[expect(clippy::cast_precision_loss, reason = "it is compared with what a person wrote as a decimal number")]
fn dollars(estimate: Option<NanoUsd>) -> CelNumber {
    estimate
        .map_or(CelNumber::INFINITY, |estimate| estimate.as_nanos() as CelNumber / NANOS_PER_USD as CelNumber)
}

fn tags(tags: &[(String, String)]) -> CelMap<'_> {
    texts_by_name(tags.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

fn texts_by_name<'a>(texts: impl Iterator<Item = (&'a str, &'a str)>) -> CelMap<'a> {
    let entries: HashMap<CelMapKey<'a>, Box<dyn Val + 'a>> = texts
        .map(|(name, value)| {
            let value: Box<dyn Val + 'a> = Box::new(CelString::from(value));
            (CelMapKey::String(CelString::from(name)), value)
        })
        .collect();
    CelMap::from(entries)
}

const HOUR_US: i64 = 3_600 * MICROS_PER_SECOND;

fn hour_utc(now: Timestamp) -> u64 {
    now.as_micros().div_euclid(HOUR_US).rem_euclid(24).unsigned_abs()
}

/// 1 for Monday; the first of January 1970 was a Thursday.
fn weekday_utc(now: Timestamp) -> u64 {
    let days = now.as_micros().div_euclid(24 * HOUR_US);
    (days + 3).rem_euclid(7).unsigned_abs() + 1
}

/// The first thing the parser says, without its inner workings.
fn syntax_fault(errors: &ParseErrors) -> InvalidCondition {
    let Some(first) = errors.errors.first() else {
        return InvalidCondition::Syntax { line: 1, column: 1, message: "it cannot be parsed".to_owned() };
    };
    if first.msg.contains("Recursion limit") {
        return InvalidCondition::TooDeep;
    }
    let place = |position: isize| usize::try_from(position).unwrap_or(0).max(1);
    let message = first.msg.strip_prefix("Syntax error: ").unwrap_or(&first.msg);
    InvalidCondition::Syntax {
        line: place(first.pos.0),
        column: place(first.pos.1),
        message: shortened(message),
    }
}

/// Refuses names and functions that mean nothing here, and loops, whose cost nothing bounds.
fn check_names(expression: &IdedExpr, known: &[Vocabulary]) -> Result<(), InvalidCondition> {
    let check = |part: &IdedExpr| check_names(part, known);
    match &expression.expr {
        Expr::Unspecified | Expr::Literal(_) => Ok(()),
        Expr::Ident(name) => {
            let mut names = known.iter().flat_map(|part| part.iter());
            if names.any(|(known, _, _)| known == name) {
                Ok(())
            } else {
                Err(InvalidCondition::UnknownVariable { name: shortened(name), known: names_of(known) })
            }
        }
        Expr::Select(select) => check(&select.operand),
        Expr::List(list) => list.elements.iter().try_for_each(check),
        Expr::Call(call) => {
            let name = call.func_name.as_str();
            if !OPERATORS.contains(&name) && !FUNCTIONS.contains(&name) {
                return Err(InvalidCondition::UnknownFunction(shortened(name)));
            }
            call.target.iter().try_for_each(|target| check(target))?;
            call.args.iter().try_for_each(check)
        }
        Expr::Comprehension(_) => {
            Err(InvalidCondition::Unsupported("loops such as all(), exists(), map() or filter()"))
        }
        Expr::Map(_) | Expr::Struct(_) => Err(InvalidCondition::Unsupported("{…} of its own")),
    }
}

fn names_of(known: &[Vocabulary]) -> String {
    let mut names: Vec<&str> = known.iter().flat_map(|part| part.iter()).map(|(name, _, _)| *name).collect();
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(*name));
    names.join(", ")
}

/// Refuses an operation that is compared as a whole, or by a field it does not have: such a rule would never be met, and
/// nobody would be asked.
fn check_operation(expression: &IdedExpr) -> Result<(), InvalidCondition> {
    let whole = || {
        let fields = OPERATION_FIELDS.map(|field| format!("operation.{field}")).join(", ");
        Err(InvalidCondition::WrongTypes(format!("an operation has fields here: write {fields}")))
    };
    match &expression.expr {
        Expr::Ident(name) if name == "operation" => whole(),
        Expr::Select(select) => {
            match &select.operand.expr {
                Expr::Ident(name) if name == "operation" => {
                    if OPERATION_FIELDS.contains(&select.field.as_str()) { Ok(()) } else { whole() }
                }
                _ => check_operation(&select.operand),
            }
        }
        Expr::List(list) => list.elements.iter().try_for_each(check_operation),
        Expr::Call(call) => {
            call.target.iter().try_for_each(|target| check_operation(target))?;
            call.args.iter().try_for_each(check_operation)
        }
        Expr::Unspecified
        | Expr::Literal(_)
        | Expr::Ident(_)
        | Expr::Comprehension(_)
        | Expr::Map(_)
        | Expr::Struct(_) => Ok(()),
    }
}

const fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "true or false",
        Value::Int(_) | Value::UInt(_) | Value::Float(_) => "a number",
        Value::String(_) => "a text",
        Value::List(_) => "a list",
        Value::Map(_) => "texts by name",
        Value::Null => "nothing",
        _ => "something else",
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Condition {}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.text).finish()
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
