//! Trying it out.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Money;

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct TestRequest {
    pub operation: String,
    pub message: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct TestAnswer {
    pub request_id: String,
    pub text: String,
    pub provider: String,
    pub model: String,
    pub cost: Option<Money>,
    pub simulated: bool,
}
