//! What a provider billed for, in disjoint units.
//!
//! Vendors count differently: for one "input" includes cached tokens, for the other it does not; reasoning is sometimes
//! part of output and sometimes apart. Adapters normalise **once, at the edge**, streamed or not, into units that never
//! overlap, so that cost is a plain sum and nothing is counted twice or forgotten.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! units {
    ($($(#[$doc:meta])* $variant:ident => $word:literal,)*) => {
        /// A billable unit. No two units ever count the same thing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Unit { $($(#[$doc])* $variant,)* }

        impl Unit {
            /// Every unit, in the order costs are listed.
            pub const ALL: &'static [Unit] = &[$(Unit::$variant,)*];

            /// The word on the wire and in the store.
            pub const fn as_str(self) -> &'static str {
                match self { $(Unit::$variant => $word,)* }
            }

            /// The unit of that word.
            pub fn from_word(word: &str) -> Option<Unit> {
                match word { $($word => Some(Unit::$variant),)* _ => None }
            }
        }
    };
}

units! {
    /// Text tokens read afresh (neither from nor into a cache).
    InputTokens => "input_tokens",
    /// Text tokens read from the provider's prompt cache.
    CachedInputTokens => "cached_input_tokens",
    /// Tokens written to a cache kept about 5 minutes.
    CacheWrite5mTokens => "cache_write_5m_tokens",
    /// Tokens written to a cache kept an hour.
    CacheWrite1hTokens => "cache_write_1h_tokens",
    /// Visible text tokens produced.
    OutputTokens => "output_tokens",
    /// Hidden thinking tokens produced.
    ReasoningTokens => "reasoning_tokens",
    /// Audio tokens read afresh.
    AudioInputTokens => "audio_input_tokens",
    /// Audio tokens read from the cache.
    CachedAudioInputTokens => "cached_audio_input_tokens",
    /// Audio tokens produced.
    AudioOutputTokens => "audio_output_tokens",
    /// Image tokens read.
    ImageInputTokens => "image_input_tokens",
    /// Image tokens produced.
    ImageOutputTokens => "image_output_tokens",
    /// Milliseconds of audio transcribed.
    AudioMilliseconds => "audio_milliseconds",
    /// Characters spoken.
    Characters => "characters",
    /// Images made.
    Images => "images",
    /// Calls, where a call itself is billed.
    Requests => "requests",
    /// Searches the provider's own tool made.
    WebSearches => "web_searches",
}

/// Number of units.
const UNITS: usize = Unit::ALL.len();

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_word(&word).ok_or_else(|| serde::de::Error::custom(format_args!("unknown unit `{word}`")))
    }
}

/// Quantities per [`Unit`]. On the wire a map of the non-zero ones.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage([u64; UNITS]);

impl Usage {
    /// The quantity of `unit`.
    pub const fn get(&self, unit: Unit) -> u64 {
        self.0[unit as usize]
    }

    /// Sets the quantity of `unit`.
    pub const fn set(&mut self, unit: Unit, quantity: u64) {
        self.0[unit as usize] = quantity;
    }

    /// With the quantity of `unit` set.
    #[must_use]
    pub const fn with(mut self, unit: Unit, quantity: u64) -> Self {
        self.set(unit, quantity);
        self
    }

    /// The non-zero quantities, in listing order.
    pub fn iter(&self) -> impl Iterator<Item = (Unit, u64)> + '_ {
        Unit::ALL.iter().map(|unit| (*unit, self.get(*unit))).filter(|(_, quantity)| *quantity > 0)
    }

    /// Whether nothing was used.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|quantity| *quantity == 0)
    }

    /// Unit-wise sum, held at the largest number.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_add(theirs);
        }
        self
    }

    /// All tokens that went in: fresh, cached, written to a cache, audio and image.
    pub fn tokens_in(&self) -> u64 {
        const IN: [Unit; 7] = [
            Unit::InputTokens,
            Unit::CachedInputTokens,
            Unit::CacheWrite5mTokens,
            Unit::CacheWrite1hTokens,
            Unit::AudioInputTokens,
            Unit::CachedAudioInputTokens,
            Unit::ImageInputTokens,
        ];
        IN.iter().fold(0, |sum, unit| sum.saturating_add(self.get(*unit)))
    }

    /// All tokens that came out: visible, reasoning, audio and image.
    pub fn tokens_out(&self) -> u64 {
        const OUT: [Unit; 4] =
            [Unit::OutputTokens, Unit::ReasoningTokens, Unit::AudioOutputTokens, Unit::ImageOutputTokens];
        OUT.iter().fold(0, |sum, unit| sum.saturating_add(self.get(*unit)))
    }
}

impl fmt::Debug for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl FromIterator<(Unit, u64)> for Usage {
    fn from_iter<T: IntoIterator<Item = (Unit, u64)>>(quantities: T) -> Self {
        quantities.into_iter().fold(Self::default(), |usage, (unit, quantity)| usage.with(unit, quantity))
    }
}

impl Serialize for Usage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (unit, quantity) in self.iter() {
            map.serialize_entry(&unit, &quantity)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Usage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Quantities;
        impl<'de> Visitor<'de> for Quantities {
            type Value = Usage;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of units to quantities")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Usage, A::Error> {
                let mut usage = Usage::default();
                while let Some((unit, quantity)) = map.next_entry::<Unit, u64>()? {
                    usage.set(unit, quantity);
                }
                Ok(usage)
            }
        }
        deserializer.deserialize_map(Quantities)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_survives_its_json_and_leaves_zeros_out() {
        let usage = Usage::default().with(Unit::InputTokens, 10).with(Unit::ReasoningTokens, 3);
        let json = serde_json::to_string(&usage).unwrap();
        assert_eq!(json, r#"{"input_tokens":10,"reasoning_tokens":3}"#);
        assert_eq!(serde_json::from_str::<Usage>(&json).unwrap(), usage);
        assert!(serde_json::from_str::<Usage>(r#"{"beans":1}"#).is_err());
    }

    #[test]
    fn every_unit_has_its_own_word_and_slot() {
        for (index, unit) in Unit::ALL.iter().enumerate() {
            assert_eq!(*unit as usize, index);
            assert_eq!(Unit::from_word(unit.as_str()), Some(*unit));
        }
    }
}
