//! The bounds of a condition's text, checked before it is parsed.

use super::InvalidCondition;

/// Longest condition, in characters.
pub const CHARS_MAX: usize = 1_000;

/// Deepest nesting of brackets.
pub const BRACKETS_DEEP_MAX: usize = 24;

/// Most characters that make a step of the parser or the evaluator: operators, dots, brackets.
pub const STEPS_MAX: usize = 200;

/// Checks length, nesting and number of steps.
///
/// Only texts whose strings can be told from the rest without parsing are let through: no escapes, no triple quotes, no
/// comments. Otherwise a bracket inside a string could hide the nesting from this check.
pub(super) fn check(text: &str) -> Result<(), InvalidCondition> {
    // Bytes first: a megabyte is refused without being walked.
    if text.len() > CHARS_MAX * 4 || text.chars().count() > CHARS_MAX {
        return Err(InvalidCondition::TooLong);
    }
    if text.trim().is_empty() {
        return Err(InvalidCondition::Empty);
    }
    if text.contains('\\') {
        return Err(InvalidCondition::Unsupported("backslashes"));
    }
    if text.contains("\"\"\"") || text.contains("'''") {
        return Err(InvalidCondition::Unsupported("triple quotes"));
    }
    let (mut depth, mut steps) = (0_usize, 0_usize);
    let mut quote = None;
    let mut before = ' ';
    for character in text.chars() {
        match quote {
            Some(end) => {
                if character == end {
                    quote = None;
                }
            }
            None => match character {
                '"' | '\'' => quote = Some(character),
                '(' | '[' | '{' => {
                    depth += 1;
                    steps += 1;
                }
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                '/' if before == '/' => return Err(InvalidCondition::Unsupported("comments")),
                '.' | '+' | '-' | '*' | '/' | '%' | '<' | '>' | '=' | '!' | '&' | '|' | '?' | ':' => {
                    steps += 1;
                }
                _ => {}
            },
        }
        if depth > BRACKETS_DEEP_MAX {
            return Err(InvalidCondition::TooDeep);
        }
        if steps > STEPS_MAX {
            return Err(InvalidCondition::TooManySteps);
        }
        before = character;
    }
    Ok(())
}
