//! `prices`: list, show, set, import, unpriced.

use std::path::Path;

use signalbox_app::dto::{
    CardState, Instant, ModelBlock, PriceCard, PriceFilter, PriceImportChoice, PriceImportPreview,
    PriceInput, PriceListInput, PricePreview, PriceRow, RateChange, RateInput, UnblockInput,
};
use signalbox_app::prices;
use signalbox_core::usage::Unit;

use super::Desk;
use crate::cli::Prices;
use crate::failure::{Exit, Failure};
use crate::output::{Table, or_dash, print, print_json, remark, tell_asked, usd, yes_no};

/// Rows asked for at once.
const PAGE_ROWS: u32 = 500;
/// Rows of a comparison that are printed; the rest is counted. JSON has all.
const SHOWN_MAX: usize = 40;

pub async fn run(desk: Desk, command: Prices) -> Result<Exit, Failure> {
    match command {
        Prices::List { search, provider, capability, origin, unpriced, json } => {
            let filter = PriceFilter { search, provider, capability, unpriced_only: unpriced, origin };
            list(&desk, filter, json).await
        }
        Prices::Unblock { target, reason } => unblock(&desk, UnblockInput { target, reason }).await,
        Prices::Show { target, json } => show(&desk, &target, json).await,
        Prices::Set { target, rates, batch_percent, from, source, reason, dry_run, json } => {
            let input = PriceInput {
                target,
                rates: rates.iter().map(|text| rate(text)).collect::<Result<_, _>>()?,
                tiers: None,
                batch_percent,
                effective_from: from.map(Instant),
                source_url: source,
                reason,
            };
            set(&desk, input, dry_run, json).await
        }
        Prices::Import { file, apply, dry_run, from, reason, json } => {
            let choice =
                PriceImportChoice { effective_from: from.map(Instant), reason, ..Default::default() };
            import(&desk, &file, &apply, choice, dry_run, json).await
        }
        Prices::Unpriced(form) => unpriced(&desk, form.json).await,
    }
}

async fn list(desk: &Desk, filter: PriceFilter, json: bool) -> Result<Exit, Failure> {
    let mut rows: Vec<PriceRow> = Vec::new();
    let mut cursor = None;
    loop {
        let page = prices::page(&desk.app, &desk.caller, filter.clone(), cursor, PAGE_ROWS).await?;
        rows.extend(page.rows);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if json {
        print_json(&rows)?;
        return Ok(Exit::Ok);
    }
    let mut table =
        Table::new(&["TARGET", "PRICES", "BATCH", "ORIGIN", "SINCE", "AS OF", "PLANNED", "IN USE"]);
    for row in &rows {
        let card = row.card.as_ref();
        table.row([
            row.target.clone(),
            card.map_or_else(|| "unpriced".to_owned(), brief),
            or_dash(card.and_then(|card| card.batch_percent).map(|percent| format!("{percent} %"))),
            or_dash(card.map(|card| card.origin.clone())),
            or_dash(card.map(|card| day(&card.effective_from))),
            or_dash(card.and_then(|card| card.as_of.clone())),
            or_dash(row.planned.as_ref().map(|card| day(&card.effective_from))),
            yes_no(row.in_use),
        ]);
    }
    print(&table.text())?;
    for row in &rows {
        if let Some(block) = &row.block {
            remark(&format!("{}: {}", row.target, block_in_words(block)));
        }
    }
    Ok(Exit::Ok)
}

async fn show(desk: &Desk, target: &str, json: bool) -> Result<Exit, Failure> {
    let history = prices::history(&desk.app, &desk.caller, target).await?;
    if json {
        print_json(&history)?;
        return Ok(Exit::Ok);
    }
    print(&format!("{} ({})", history.row.target, history.row.capabilities.join(", ")))?;
    if let Some(block) = &history.row.block {
        print(&block_in_words(block))?;
    }
    if let Some(note) = &history.note {
        print(note)?;
    }
    if history.cards.is_empty() {
        print("It has no price: its requests are marked unpriced.")?;
    }
    for card in &history.cards {
        print(&format!("\n{}", heading(card)))?;
        print(&rates(card))?;
    }
    Ok(Exit::Ok)
}

async fn unblock(desk: &Desk, input: UnblockInput) -> Result<Exit, Failure> {
    let Some(row) = tell_asked(prices::block::unblock(&desk.app, &desk.caller, input).await?)? else {
        return Ok(Exit::Ok);
    };
    print(&format!("{} is not blocked.", row.target))?;
    Ok(Exit::Ok)
}

/// Why no route leads to a model.
fn block_in_words(block: &ModelBlock) -> String {
    let (cost, bound) = (usd(Some(&block.cost)), usd(Some(&block.bound)));
    format!(
        "Blocked since {}: {} was billed at {cost} and could come to at most {bound}. Set another price, or `prices unblock` it.",
        block.since.0, block.request_id
    )
}

fn heading(card: &PriceCard) -> String {
    let state = match card.state {
        CardState::Past => "past",
        CardState::InForce => "in force",
        CardState::Planned => "planned",
    };
    let mut parts = vec![format!("from {} ({state}, {})", card.effective_from.0, card.origin)];
    parts.extend(card.batch_percent.map(|percent| format!("a batch pays {percent} %")));
    parts.extend(card.as_of.as_ref().map(|day| format!("as of {day}")));
    parts.extend(card.source_url.clone());
    parts.join(", ")
}

fn rates(card: &PriceCard) -> String {
    if card.rates.is_empty() {
        return "  no price: unpriced from then on".to_owned();
    }
    let mut table = Table::new(&["  UNIT", "ABOVE TOKENS", ">USD", "PER"]);
    let plain = card.rates.iter().map(|rate| (None, rate));
    let tiered = card
        .tiers
        .iter()
        .flat_map(|tier| tier.rates.iter().map(|rate| (Some(&tier.above_input_tokens), rate)));
    for (above, rate) in plain.chain(tiered) {
        table.row([
            format!("  {}", rate.unit),
            above.map(|above| above.0.clone()).unwrap_or_default(),
            format!("${}", rate.usd),
            rate.lot.clone(),
        ]);
    }
    table.text()
}

async fn set(desk: &Desk, input: PriceInput, dry_run: bool, json: bool) -> Result<Exit, Failure> {
    let preview = prices::preview(&desk.app, &desk.caller, input.clone()).await?;
    if !dry_run && tell_asked(prices::set(&desk.app, &desk.caller, input.clone()).await?)?.is_none() {
        return Ok(Exit::Ok);
    }
    if json {
        print_json(&preview)?;
        return Ok(Exit::Ok);
    }
    tell(&input.target, &preview, dry_run)
}

fn tell(target: &str, preview: &PricePreview, dry_run: bool) -> Result<Exit, Failure> {
    for warning in &preview.warnings {
        remark(&format!("note: {warning}"));
    }
    let sample = &preview.sample;
    let call = format!("{}: {} → {}", sample.call, usd(sample.before.as_ref()), usd(sample.after.as_ref()));
    let would = if dry_run { " (nothing is changed)" } else { "" };
    print(&format!("{target} from {} on{would}", preview.after.effective_from.0))?;
    for change in &preview.changes {
        print(&format!("  {}", told(change)))?;
    }
    print(&format!("  {call}"))?;
    Ok(Exit::Ok)
}

/// `input=1.25`
fn rate(text: &str) -> Result<RateInput, Failure> {
    let (unit, usd) = text.split_once('=').ok_or_else(|| {
        Failure::new(Exit::Usage, format!("`{text:.60}` is not UNIT=USD, such as input=1.25."))
    })?;
    let word = unit.trim().replace('-', "_");
    let unit = match word.as_str() {
        "minute" => Unit::AudioMilliseconds.as_str().to_owned(),
        "image" => Unit::Images.as_str().to_owned(),
        "request" => Unit::Requests.as_str().to_owned(),
        "search" => Unit::WebSearches.as_str().to_owned(),
        other if Unit::from_word(other).is_some() => other.to_owned(),
        other => format!("{other}_tokens"),
    };
    if Unit::from_word(&unit).is_none() {
        return Err(Failure::new(
            Exit::Usage,
            format!("There is no unit `{word:.40}`; see `prices set --help`."),
        ));
    }
    Ok(RateInput { unit, usd: usd.trim().to_owned() })
}

async fn import(
    desk: &Desk,
    file: &Path,
    apply: &[String],
    choice: PriceImportChoice,
    dry_run: bool,
    json: bool,
) -> Result<Exit, Failure> {
    let path = file.to_str().ok_or_else(|| Failure::new(Exit::Usage, "The file's name is no text."))?;
    let list = PriceListInput { path: Some(path.to_owned()), text: None };
    let preview = prices::import::preview(&desk.app, &desk.caller, list).await?;
    let targets = chosen(&preview, apply);
    if apply.is_empty() || dry_run {
        if json {
            print_json(&preview)?;
        } else {
            compare(&preview)?;
            say_choice(&preview, apply, &targets)?;
        }
        return Ok(Exit::Ok);
    }
    if targets.is_empty() {
        print("Nothing of this list is to be taken over.")?;
        return Ok(Exit::Ok);
    }
    let choice = PriceImportChoice { token: preview.token.clone(), targets: targets.clone(), ..choice };
    let applied = prices::import::apply(&desk.app, &desk.caller, choice).await?;
    let Some(result) = tell_asked(applied)? else { return Ok(Exit::Ok) };
    let left_out = suspicious(&preview).filter(|target| !targets.contains(target)).count();
    if left_out > 0 {
        remark(&format!("note: {left_out} suspicious changes are left out; name them to take them over."));
    }
    if json {
        print_json(&result)?;
    } else {
        print(&format!("{}.", result.sentence))?;
    }
    Ok(Exit::Ok)
}

/// The targets that `--apply` means.
fn chosen(preview: &PriceImportPreview, apply: &[String]) -> Vec<String> {
    let ordinary = || preview.changed.iter().filter(|one| one.suspicious.is_empty()).map(|one| &one.target);
    let mut targets = Vec::new();
    for text in apply.iter().map(|text| text.trim()) {
        match text {
            "all" => targets.extend(preview.new.iter().map(|one| &one.target).chain(ordinary()).cloned()),
            "changed" => targets.extend(ordinary().cloned()),
            target => targets.push(target.to_owned()),
        }
    }
    targets.sort();
    targets.dedup();
    targets
}

fn suspicious(preview: &PriceImportPreview) -> impl Iterator<Item = &String> {
    preview.changed.iter().filter(|one| !one.suspicious.is_empty()).map(|one| &one.target)
}

fn compare(preview: &PriceImportPreview) -> Result<(), Failure> {
    let counts = [
        (preview.new.len(), "new"),
        (preview.changed.len(), "changed"),
        (preview.unchanged.len(), "unchanged"),
        (preview.skipped.len(), "skipped"),
    ];
    let counts: Vec<String> = counts.iter().map(|(count, word)| format!("{count} {word}")).collect();
    print(&format!("{}: {}", preview.format, counts.join(", ")))?;
    for changed in preview.changed.iter().take(SHOWN_MAX) {
        print(&format!("\n{}{}", changed.target, if changed.in_use { " (in use)" } else { "" }))?;
        for change in &changed.changes {
            print(&format!("  {}", told(change)))?;
        }
        if changed.batch_percent_before != changed.batch_percent_after {
            print(&format!(
                "  a batch pays {} % → {} %",
                changed.batch_percent_before, changed.batch_percent_after
            ))?;
        }
        for planned in changed.cards.iter().filter(|card| card.state == CardState::Planned) {
            print(&format!("  planned from {}: {}", day(&planned.effective_from), brief(planned)))?;
        }
        for reason in &changed.suspicious {
            print(&format!("  suspicious: {reason}"))?;
        }
        for note in &changed.notes {
            print(&format!("  note: {note}"))?;
        }
    }
    more(preview.changed.len())?;
    if !preview.new.is_empty() {
        print("\nNew:")?;
    }
    for new in preview.new.iter().take(SHOWN_MAX) {
        let card = new.cards.first().map(brief).unwrap_or_default();
        print(&format!("  {}  {card}", new.target))?;
    }
    more(preview.new.len())?;
    if !preview.skipped.is_empty() {
        print("\nSkipped:")?;
    }
    for skipped in preview.skipped.iter().take(SHOWN_MAX) {
        print(&format!("  {}: {}", skipped.name, skipped.reason))?;
    }
    more(preview.skipped.len())?;
    let elsewhere: u32 = preview.other_providers.iter().map(|other| other.entries).sum();
    if elsewhere > 0 {
        let providers = preview.other_providers.len();
        print(&format!(
            "\nLeft out: {elsewhere} entries of {providers} providers that this installation does not have."
        ))?;
    }
    Ok(())
}

fn more(count: usize) -> Result<(), Failure> {
    if count > SHOWN_MAX {
        print(&format!("  … and {} more (--json has all)", count - SHOWN_MAX))
    } else {
        Ok(())
    }
}

fn say_choice(preview: &PriceImportPreview, apply: &[String], targets: &[String]) -> Result<(), Failure> {
    let suspicious = suspicious(preview).count();
    if suspicious > 0 {
        remark(&format!("note: {suspicious} changes are suspicious; they are taken over only when named."));
    }
    if apply.is_empty() {
        print("\nNothing is changed. Choose with --apply what shall be taken over.")
    } else {
        print(&format!("\nNothing is changed. Would be taken over: {}.", targets.join(", ")))
    }
}

async fn unpriced(desk: &Desk, json: bool) -> Result<Exit, Failure> {
    let models = prices::unpriced(&desk.app, &desk.caller).await?;
    if json {
        print_json(&models)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&["TARGET", ">REQUESTS", "PRICED NOW", "THE CATALOGUE SAYS"]);
    for model in &models {
        table.row([
            model.target.clone(),
            model.requests.to_string(),
            yes_no(model.priced_now),
            or_dash(model.suggestion.as_ref().map(brief)),
        ]);
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}

/// The main rates in one line, e.g. `$1.25 in, $10 out`.
fn brief(card: &PriceCard) -> String {
    let rate = |unit: Unit| card.rates.iter().find(|rate| rate.unit == unit.as_str());
    let both =
        rate(Unit::InputTokens).zip(rate(Unit::OutputTokens).or_else(|| rate(Unit::AudioOutputTokens)));
    if let Some((input, output)) = both {
        return format!("${} in, ${} out", input.usd, output.usd);
    }
    let first = card.rates.first().map(|rate| format!("${} per {}", rate.usd, rate.lot));
    first.unwrap_or_else(|| "unpriced".to_owned())
}

/// `input_tokens above 200000 tokens $1.25 → $1 per 1M tokens (-20 %)`
fn told(change: &RateChange) -> String {
    let usd = |amount: &Option<String>| {
        amount.as_ref().map_or_else(|| "unpriced".to_owned(), |usd| format!("${usd}"))
    };
    let above = change.above_input_tokens.as_ref().map(|bound| format!(" above {} tokens", bound.0));
    let percent = change.percent.as_ref().map(|percent| format!(" ({percent} %)"));
    format!(
        "{}{} {} → {} per {}{}",
        change.unit,
        above.unwrap_or_default(),
        usd(&change.before),
        usd(&change.after),
        change.lot,
        percent.unwrap_or_default()
    )
}

fn day(instant: &Instant) -> String {
    instant.0.chars().take(10).collect()
}
