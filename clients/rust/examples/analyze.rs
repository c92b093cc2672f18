//! Texts of a file or of standard input, one a line, to one JSON object a line, in their order:
//!
//! `cargo run --example analyze -- [--address HOST:PORT] [--tier fast|balanced|accurate|auto] [--mode batch|stream] [FILE]`
//!
//! The environment variable `SENTIMENT_API_KEY` is the key.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use sentiment_client::{Client, Options, Outcome, Outcomes, Tier};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio_stream::wrappers::SplitStream;
use tokio_stream::{Stream, StreamExt};

struct Arguments {
    address: String,
    tier: Tier,
    is_stream: bool,
    file: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let arguments = arguments(std::env::args().skip(1))?;
    let mut options = Options::default();
    if let Ok(key) = std::env::var("SENTIMENT_API_KEY") {
        options = options.api_key(key);
    }
    let client = Client::connect(&arguments.address, options).await?;
    let texts = texts(arguments.file.as_deref()).await?;
    let outcomes =
        if arguments.is_stream { client.analyze_stream(texts, arguments.tier) } else { client.analyze_all(texts, arguments.tier) };
    print(outcomes).await
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut read = Arguments { address: Client::default_address(), tier: Tier::Unspecified, is_stream: false, file: None };
    while let Some(word) = words.next() {
        if !word.starts_with("--") {
            read.file = Some(word);
            continue;
        }
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--address" => read.address = value,
            "--tier" => read.tier = tier(&value)?,
            "--mode" => read.is_stream = is_stream(&value)?,
            _ => return Err(format!("{word} is unknown: use --address, --tier, --mode")),
        }
    }
    Ok(read)
}

fn tier(name: &str) -> Result<Tier, String> {
    let known = Tier::from_str_name(&format!("TIER_{}", name.to_uppercase()));
    known.ok_or_else(|| format!("{name} is no tier: use fast, balanced, accurate or auto"))
}

fn is_stream(mode: &str) -> Result<bool, String> {
    match mode {
        "batch" => Ok(false),
        "stream" => Ok(true),
        _ => Err(format!("{mode} is no mode: use batch or stream")),
    }
}

/// Lines as they are, without the line end. A line that is not UTF-8, which no request can hold, ends the program.
async fn texts(file: Option<&str>) -> std::io::Result<impl Stream<Item = String> + Send + 'static> {
    let input: Box<dyn AsyncRead + Send + Unpin> = match file {
        Some(file) => Box::new(tokio::fs::File::open(file).await?),
        None => Box::new(tokio::io::stdin()),
    };
    let lines = SplitStream::new(BufReader::new(input).split(b'\n'));
    Ok(lines.map(|line| {
        let line = line.unwrap_or_else(|error| panic!("the input cannot be read: {error}"));
        String::from_utf8(line).unwrap_or_else(|_| panic!("a line is not UTF-8"))
    }))
}

async fn print(mut outcomes: Outcomes) -> Result<(), Box<dyn Error>> {
    let mut output = std::io::stdout().lock();
    let mut index = 0;
    while let Some(outcome) = outcomes.next().await {
        writeln!(output, "{}", json(index, &outcome?))?;
        index += 1;
    }
    Ok(())
}

fn json(index: usize, outcome: &Outcome) -> String {
    match outcome {
        Ok(sentiment) => format!(
            r#"{{"index":{index},"label":"{}","score":{},"confidence":{},"token_count":{}}}"#,
            sentiment.label().as_str_name(),
            number(sentiment.score),
            number(sentiment.confidence),
            sentiment.token_count
        ),
        Err(error) => {
            let reason = error.reason().map_or_else(|| format!("{:?}", error.code()), ToString::to_string);
            format!(r#"{{"index":{index},"error":"{reason}"}}"#)
        }
    }
}

/// Nine significant digits: all that a float32 has.
fn number(value: f32) -> String {
    let scientific = format!("{value:.8e}");
    let exponent: i32 = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let decimals = usize::try_from(8 - exponent).unwrap_or(0);
    format!("{value:.decimals$}")
}
