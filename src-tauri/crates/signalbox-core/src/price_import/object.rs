//! JSON objects whose values are left as text, and which know when they say a name twice.

use std::collections::HashSet;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The members of an object in their order. The values are read later, numbers from their text.
#[derive(Debug)]
pub struct Object<'a> {
    /// Name and value.
    pub members: Vec<(String, &'a RawValue)>,
    /// A name that occurs more than once, if one does.
    pub twice: Option<String>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut object = Object { members: Vec::new(), twice: None };
                let mut names = HashSet::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    if !names.insert(name.clone()) {
                        object.twice = Some(name.clone());
                    }
                    object.members.push((name, value));
                }
                Ok(object)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl<'a> Object<'a> {
    /// The JSON of the member of that name.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.members.iter().find(|(known, _)| known == name).map(|(_, value)| value.get())
    }

    /// The member of that name as a string, if it is one.
    pub fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?).ok()
    }

    /// The member of that name as an object, if it is one.
    pub fn object(&self, name: &str) -> Option<Object<'a>> {
        serde_json::from_str(self.get(name)?).ok()
    }

    /// The member of that name as a count, if it is one; `128000.0` is one too.
    pub fn count(&self, name: &str) -> Option<u32> {
        let text = self.get(name)?;
        text.strip_suffix(".0").unwrap_or(text).parse().ok()
    }

    /// Whether the member of that name is `true`.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }
}
