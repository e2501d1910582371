//! Grammar of `prices`.

use std::path::PathBuf;

use clap::Subcommand;

use super::Json;

const UNITS: &str = "\
Units, each priced by its lot:
  input, cached-input, cache-write-5m, cache-write-1h, output, reasoning    dollars per million tokens
  audio-input, cached-audio-input, audio-output, image-input, image-output  dollars per million tokens
  minute                                                                    dollars per minute of sound
  characters                                                                dollars per 1,000 characters
  image, request, search                                                    dollars each

Examples:
  signalbox-node prices set openai/gpt-5 input=1.25 cached-input=0.125 output=10
  signalbox-node prices set deepgram/nova-3 minute=0.0043 --reason \"new contract\"
  signalbox-node prices set openai/gpt-5 output=9 --from 2027-01-01T00:00:00Z
  signalbox-node prices set ollama/llama input=0 output=0";

const IMPORTING: &str = "\
The list is LiteLLM's model map (model_prices_and_context_window.json) or version 2 of genai-prices (data.json). Without
--apply it is only compared. `all` takes every new and changed price that is not suspicious, `changed` only changed ones;
a suspicious one is taken when it is named.

Examples:
  signalbox-node prices import model_prices.json
  signalbox-node prices import model_prices.json --apply changed --reason \"prices of November\"
  signalbox-node prices import data.json --apply openai/gpt-5,anthropic/claude-opus-5";

#[derive(Debug, Subcommand)]
pub enum Prices {
    /// List models with what they cost now
    List {
        /// Only targets that contain this text
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// Only models of this provider
        #[arg(long)]
        provider: Option<String>,
        #[arg(
            long,
            help = "Only models that can do this: chat, embedding, transcription, speech, vision, audio_input"
        )]
        capability: Option<String>,
        /// Only prices by this word: shipped, imported, own
        #[arg(long)]
        origin: Option<String>,
        /// Only models without a price
        #[arg(long)]
        unpriced: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Let a model be used again that is blocked because of its bill
    Unblock {
        /// PROVIDER/MODEL
        target: String,
        /// Why, for the history
        #[arg(long)]
        reason: Option<String>,
    },
    /// Show every price a model had, has, and is planned to have
    Show {
        /// PROVIDER/MODEL
        target: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a model prices of your own, from now or a later day on
    #[command(after_help = UNITS)]
    Set {
        /// PROVIDER/MODEL
        target: String,
        /// UNIT=USD; units that are not named keep their price, `UNIT=` takes it away, 0 is free
        #[arg(required = true, value_name = "UNIT=USD")]
        rates: Vec<String>,
        /// Share of the price a batch pays, in percent; 100 for the whole price
        #[arg(long, value_name = "PERCENT")]
        batch_percent: Option<u32>,
        /// From when, RFC 3339 [default: now]
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Where the price is from
        #[arg(long, value_name = "URL")]
        source: Option<String>,
        /// Why, for the history
        #[arg(long)]
        reason: Option<String>,
        /// Only show what would change
        #[arg(long)]
        dry_run: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Compare a price list with what is in force, and take over what you choose
    #[command(after_help = IMPORTING)]
    Import {
        /// The list
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What to take over: all, changed, or PROVIDER/MODEL, separated by commas
        #[arg(long, value_delimiter = ',', value_name = "TARGETS")]
        apply: Vec<String>,
        /// Only show what would be taken over
        #[arg(long)]
        dry_run: bool,
        /// From when, RFC 3339 [default: now]
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Why, for the history
        #[arg(long)]
        reason: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List models whose requests had no known cost in the last 30 days
    Unpriced(Json),
}
