//! Settings of the installation.

use serde::{Deserialize, Serialize};
use specta::Type;

/// A setting with its value. All take effect at once.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Setting {
    pub name: String,
    /// What it does, for a person.
    pub text: String,
    pub value: String,
    /// What it is unless somebody sets it.
    pub usual: String,
    /// Of a number, e.g. `seconds`.
    pub unit: Option<String>,
    pub least: Option<u32>,
    pub most: Option<u32>,
    /// The words it can be; empty for a number.
    pub choices: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SettingInput {
    pub name: String,
    pub value: String,
    pub reason: Option<String>,
}
