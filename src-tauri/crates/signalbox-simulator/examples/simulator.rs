//! Runs the simulator alone: `cargo run -p signalbox-simulator --example simulator -- 127.0.0.1:4190 '{"latency_ms":50}'`.
//!
//! It prints its base URLs and serves until interrupted. Both arguments are optional.

use std::error::Error;
use std::io::Write;

use signalbox_simulator::{Dials, Simulator};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let addr = args.next().unwrap_or_else(|| "127.0.0.1:0".to_owned()).parse()?;
    let dials = Dials::parse(args.next().unwrap_or_else(|| "{}".to_owned()).as_bytes())?;
    let simulator = Simulator::bind(addr, dials).await?;
    let mut out = std::io::stdout();
    writeln!(out, "OpenAI     {}", simulator.base_url_openai())?;
    writeln!(out, "Anthropic  {}", simulator.base_url_anthropic())?;
    out.flush()?;
    tokio::signal::ctrl_c().await?;
    simulator.shutdown().await;
    Ok(())
}
