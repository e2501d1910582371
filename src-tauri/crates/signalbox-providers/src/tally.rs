//! What a call used, gathered while its answer passes by.

use std::sync::Arc;

use serde_json::{Map, Value};
use signalbox_core::ledger::Surface;
use signalbox_core::meter::UsageSource;
use signalbox_core::money::NanoUsd;
use signalbox_core::usage::{Unit, Usage};

use crate::call::Metering;
use crate::chat::{ChatEvent, ChatResponse, Finish, Part, Report};
use crate::dialect::Dialect;
use crate::{inspect, tokens};

/// Text kept for counting. Nobody's answer is longer; what is past it is counted by its bytes.
const KEPT_BYTES_MAX: usize = 1024 * 1024;

/// A reason to finish is a word; what is longer is not one.
const FINISH_CHARS_MAX: usize = 64;

/// Gathers what one call used.
pub(crate) struct Tally {
    surface: Surface,
    provider: Dialect,
    body: Arc<Map<String, Value>>,
    usage: Option<Usage>,
    complete: bool,
    charged: Option<NanoUsd>,
    visible: Written,
    hidden: Written,
    finish: Option<Finish>,
}

/// Text the model wrote.
#[derive(Default)]
struct Written {
    text: String,
    bytes_beyond: u64,
}

impl Written {
    fn push(&mut self, text: &str) {
        if self.text.len().saturating_add(text.len()) <= KEPT_BYTES_MAX {
            self.text.push_str(text);
        } else {
            self.bytes_beyond = self.bytes_beyond.saturating_add(tokens::as_u64(text.len()));
        }
    }

    const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn tokens(&self) -> u64 {
        tokens::count(&self.text, tokens::SETTLE_BYTES_EXACT)
            .saturating_add(tokens::of_bytes(self.bytes_beyond))
    }
}

impl Tally {
    /// An empty one for a request of `body`.
    pub fn new(surface: Surface, provider: Dialect, body: Arc<Map<String, Value>>) -> Self {
        Self {
            surface,
            provider,
            body,
            usage: None,
            complete: false,
            charged: None,
            visible: Written::default(),
            hidden: Written::default(),
            finish: None,
        }
    }

    /// Takes note of a step of a streamed answer.
    pub fn observe(&mut self, event: &ChatEvent) {
        match event {
            ChatEvent::Text(text) | ChatEvent::Refusal(text) | ChatEvent::OtherChoice(text) => {
                self.visible.push(text);
            }
            ChatEvent::ToolStart { name, .. } => self.visible.push(name),
            ChatEvent::ToolArguments { fragment, .. } => self.visible.push(fragment),
            ChatEvent::Thinking(text) => self.hidden.push(text),
            ChatEvent::Finish(finish) => self.finish = Some(finish.clone()),
            ChatEvent::Usage(report) => self.report(report),
            ChatEvent::Start { .. } | ChatEvent::Signature(_) | ChatEvent::Failed(_) | ChatEvent::Done => {}
        }
    }

    /// Takes note of a complete answer and what the provider says it used.
    pub fn response(&mut self, response: &ChatResponse, report: Option<&Report>) {
        for part in &response.parts {
            match part {
                Part::Text(text) | Part::Refusal(text) => self.visible.push(text),
                Part::ToolUse { name, arguments, .. } => {
                    self.visible.push(name);
                    self.visible.push(arguments);
                }
                Part::Thinking { text, .. } => self.hidden.push(text),
                Part::Image(_) | Part::Audio { .. } | Part::Document { .. } | Part::ToolResult { .. } => {}
            }
        }
        self.finish = Some(response.finish.clone());
        if let Some(report) = report {
            self.report(report);
        }
    }

    /// Takes the provider's own count; the last one holds.
    pub fn report(&mut self, report: &Report) {
        self.usage = report.usage;
        self.complete = report.complete;
        self.charged = report.charged.or(self.charged);
    }

    /// Takes note of bytes of an answer that broke off before it could be read.
    pub fn unread(&mut self, text: &str) {
        self.visible.push(text);
    }

    /// Whether the model stopped by itself.
    pub const fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Whether anything came that a provider would bill. The opening of an answer alone is none of it.
    pub const fn is_billable(&self) -> bool {
        !self.visible.is_empty() || !self.hidden.is_empty() || self.complete || self.finish.is_some()
    }

    /// What was used up to here: as reported where that can be believed, else counted by us.
    pub fn metering(&self) -> Metering {
        let (usage, source) = match self.usage {
            Some(usage) if self.complete && self.is_plausible(&usage) => (usage, UsageSource::Reported),
            Some(usage) if !self.complete && usage.tokens_in() > 0 => {
                (self.with_counted_output(usage), UsageSource::Estimated)
            }
            _ => (self.with_counted_output(self.counted_input()), UsageSource::Estimated),
        };
        Metering { usage, source, charged: self.charged, finish_reason: self.finish_word() }
    }

    /// No chat reads nothing, and no text is written with no tokens.
    fn is_plausible(&self, usage: &Usage) -> bool {
        let wrote = !self.visible.is_empty() || !self.hidden.is_empty();
        usage.tokens_in() > 0 && (!wrote || usage.tokens_out() > 0)
    }

    fn counted_input(&self) -> Usage {
        Usage::default().with(Unit::InputTokens, inspect::settled_input(&self.body))
    }

    /// What came is counted by us, but for what the provider had counted higher by then: not all it thinks is shown.
    fn with_counted_output(&self, so_far: Usage) -> Usage {
        let at_least = |unit, counted: u64| counted.max(so_far.get(unit));
        so_far
            .with(Unit::OutputTokens, at_least(Unit::OutputTokens, self.visible.tokens()))
            .with(Unit::ReasoningTokens, at_least(Unit::ReasoningTokens, self.hidden.tokens()))
    }

    fn finish_word(&self) -> Option<String> {
        let surface = Dialect::of_surface(self.surface);
        self.finish.as_ref().map(|finish| {
            if surface == self.provider {
                finish.word.chars().filter(|char| !char.is_control()).take(FINISH_CHARS_MAX).collect()
            } else {
                surface.finish_word(finish.reason).to_owned()
            }
        })
    }
}
