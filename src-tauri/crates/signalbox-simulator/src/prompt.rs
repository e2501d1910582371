//! What both wires have in common: the prompt as the simulator understands it.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Input tokens of one image.
pub const IMAGE_TOKENS: u64 = 85;
/// Input tokens of one tool definition.
pub const TOOL_DEFINITION_TOKENS: u64 = 10;
/// Tokens of one tool call: input when it lies in the history, output when the answer makes it.
pub const TOOL_CALL_TOKENS: u64 = 10;

/// The prompt, reduced to what the answer depends on.
#[derive(Debug, Default)]
pub(crate) struct Prompt<'a> {
    /// Whitespace-separated words of every text: system, messages, tool results.
    pub words: u64,
    pub images: u64,
    /// Tool calls in the history.
    pub tool_calls: u64,
    pub tools: Vec<Tool<'a>>,
    pub choice: ToolChoice<'a>,
    pub last: Last,
    pub format: Format<'a>,
    pub max_tokens: Option<u64>,
    pub stops: Vec<Cow<'a, str>>,
    /// Whether the vendor's own tool may search the web.
    pub searches: bool,
}

/// The message that the answer reacts to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Last {
    #[default]
    Nothing,
    User(String),
    ToolResult(String),
}

#[derive(Debug)]
pub(crate) struct Tool<'a> {
    pub name: Cow<'a, str>,
    /// JSON schema of the arguments, still text: it is read only when the tool is called.
    pub schema: Option<&'a RawValue>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum ToolChoice<'a> {
    #[default]
    Auto,
    None,
    Any,
    Named(Cow<'a, str>),
}

#[derive(Debug, Default)]
pub(crate) enum Format<'a> {
    #[default]
    Text,
    JsonObject,
    JsonSchema(&'a RawValue),
}

impl Prompt<'_> {
    /// Fresh input tokens: the words of every text, and flat counts for everything that is not text, so that a
    /// translation between the wires does not change the count.
    pub fn input_tokens(&self) -> u64 {
        self.words
            + self.images * IMAGE_TOKENS
            + self.tools.len() as u64 * TOOL_DEFINITION_TOKENS
            + self.tool_calls * TOOL_CALL_TOKENS
    }
}

/// Number of whitespace-separated words.
pub(crate) fn words(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}

/// Message content on either wire: a string, or a list of typed parts.
#[derive(Debug)]
pub(crate) enum Content<'a, P> {
    Text(Cow<'a, str>),
    Parts(Vec<P>),
}

impl<P> Default for Content<'_, P> {
    fn default() -> Self {
        Self::Parts(Vec::new())
    }
}

impl<'de: 'a, 'a, P: Deserialize<'de>> Deserialize<'de> for Content<'a, P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ContentVisitor<'a, P>(PhantomData<(&'a str, P)>);

        impl<'de: 'a, 'a, P: Deserialize<'de>> Visitor<'de> for ContentVisitor<'a, P> {
            type Value = Content<'a, P>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of content parts")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Content::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Content::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Content::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = seq.next_element()? {
                    parts.push(part);
                }
                Ok(Content::Parts(parts))
            }
        }

        deserializer.deserialize_any(ContentVisitor(PhantomData))
    }
}
