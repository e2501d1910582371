//! What a page holds against the accessibility guidelines: axe-core, run inside the real web view.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests stop at the first fault")]

use std::path::Path;

use serde::Deserialize;
use serde_json::json;

use crate::support::Window;

/// Installed with the other packages of the interface.
const AXE: &str = "ui/node_modules/axe-core/axe.min.js";

/// Answers with what is serious or worse, one example each.
const CHECK: &str = "
    const [runOnly, answer] = arguments;
    axe.run(document, { resultTypes: ['violations'], runOnly }).then((result) => {
        const grave = result.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        answer(grave.map(({ id, nodes }) => ({ rule: id, places: nodes.length, example: nodes[0].html })));
    }, (error) => answer([{ rule: String(error), places: 0, example: '' }]));
";

/// A rule that the page breaks.
#[derive(Debug, Deserialize)]
pub struct Fault {
    /// Its name with axe.
    pub rule: String,
    /// How many elements break it.
    pub places: usize,
    /// The first of them.
    pub example: String,
}

/// Puts the checker into the page; it stays there as long as the page is not loaded again.
pub async fn load(window: &Window) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(AXE);
    let source = std::fs::read_to_string(path).expect("`cargo xtask test` installs the interface's packages");
    window.driver.execute(source, Vec::new()).await.unwrap();
}

/// Which rules are asked.
#[derive(Debug, Clone, Copy)]
pub enum Rules {
    /// All of WCAG 2.2 A and AA.
    All,
    /// Those that another theme can break.
    Contrast,
}

/// What is seriously wrong with what the window shows now.
pub async fn serious_faults(window: &Window, rules: Rules) -> Vec<Fault> {
    let asked = match rules {
        Rules::All => json!({
            "type": "tag",
            "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
        }),
        Rules::Contrast => json!({ "type": "rule", "values": ["color-contrast"] }),
    };
    window.driver.execute_async(CHECK, vec![asked]).await.unwrap().convert().unwrap()
}
