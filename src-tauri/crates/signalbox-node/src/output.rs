//! Printing: JSON for programs, aligned tables for people. Whoever reads may stop reading at any time.

use std::io::{self, Write};

use serde::Serialize;
use signalbox_app::dto::{Money, Proposed};
use signalbox_core::money::NanoUsd;

use crate::failure::Failure;

/// Widest cell of a table. Units: characters.
const CELL_CHARS_MAX: usize = 64;

/// Prints lines on standard output.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    unless_closed(
        out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()),
    )
}

/// Prints a value as JSON.
pub fn print_json<T: Serialize>(value: &T) -> Result<(), Failure> {
    print(&serde_json::to_string_pretty(value)?)
}

/// What a change made, if it is in force; else says who has to approve it.
pub fn tell_asked<T>(proposed: Proposed<T>) -> Result<Option<T>, Failure> {
    match proposed {
        Proposed::Applied { value } => Ok(Some(value)),
        Proposed::Asked { request } => {
            print(&format!("Asked: {}.", request.sentence))?;
            remark(&format!(
                "note: another admin has to approve {}; nothing has changed yet.",
                request.approval
            ));
            Ok(None)
        }
    }
}

/// Says something beside the output, which scripts read.
pub fn remark(text: &str) {
    // There is nowhere left to complain about standard error.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says what failed.
pub fn complain(message: &str) {
    remark(&format!("error: {message}"));
}

/// A reader that has seen enough (`| head`) is no failure.
pub fn unless_closed(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Rows under their headings, in columns.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
    right: Vec<bool>,
}

impl Table {
    /// With these headings; `>` in front of one sets its column to the right.
    pub fn new(headings: &[&str]) -> Self {
        let right = headings.iter().map(|heading| heading.starts_with('>')).collect();
        let headings = headings.iter().map(|heading| heading.trim_start_matches('>').to_owned()).collect();
        Self { rows: vec![headings], right }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into_iter().map(|cell| shown(&cell)).collect());
    }

    /// As text, without an end of line after the last row.
    pub fn text(&self) -> String {
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.right.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .zip(&self.right)
                .map(
                    |((cell, width), right)| {
                        if *right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
                    },
                )
                .collect();
            cells.join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// A cell: one line, no control characters that could move a terminal's cursor, not endless.
fn shown(text: &str) -> String {
    let mut cell: String = text.chars().filter(|c| !c.is_control()).take(CELL_CHARS_MAX).collect();
    if text.chars().count() > CELL_CHARS_MAX {
        cell.pop();
        cell.push('…');
    }
    cell
}

/// `$0.000333`; a dash where the amount is not known.
pub fn usd(amount: Option<&Money>) -> String {
    let nanos = amount.and_then(|amount| amount.0.parse().ok());
    nanos.map_or_else(|| "-".to_owned(), |nanos| format!("${}", NanoUsd::from_nanos(nanos)))
}

/// A dash where there is nothing.
pub fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// `yes` or `no`.
pub fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

/// The word a value has in JSON.
pub fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_hostile_text_cannot_leave_its_cell() {
        let mut table = Table::new(&["NAME", ">COST"]);
        table.row(["crm\u{1b}[2J\nroot".to_owned(), "$1".to_owned()]);
        table.row(["x".repeat(100), "$10.5".to_owned()]);
        let text = table.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[1].starts_with("crm[2Jroot") && lines[1].ends_with("   $1"), "{text}");
        assert!(lines.iter().all(|line| line.chars().count() == CELL_CHARS_MAX + 7), "{text}");
    }

    #[test]
    fn money_is_shown_to_the_nano_dollar_and_what_is_unknown_is_not_zero() {
        assert_eq!(usd(Some(&Money("333001".to_owned()))), "$0.000333001");
        assert_eq!(usd(None), "-");
    }
}
