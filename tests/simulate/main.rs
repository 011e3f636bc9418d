//! Plays the plan and Amazon Bedrock on this machine, so that the proxy can be tried without an account anywhere.

mod bedrock;
mod conversation;
mod plan;
#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Parser;
use futures_util::{Stream, StreamExt as _, stream};
use support::{RecordedRequest, Reply, Upstream};

/// The pause before each piece of a stream: enough to see an answer grow, and to leave it in the middle.
const PACE: Duration = Duration::from_millis(60);

/// Plays the plan (api.anthropic.com) and Amazon Bedrock on 127.0.0.1, until it is killed.
///
/// Prints where they listen, one a line: `plan http://127.0.0.1:PORT` and `bedrock http://127.0.0.1:PORT`. Every request
/// is reported on stderr with its method, path and status.
///
/// Both answer with a short text that says who speaks and quotes the end of the conversation. Input tokens are the words
/// in the texts of `messages` and `system`, output tokens the words of the answer; a word ends at white space. The
/// simulated Bedrock refuses what the real one would: a missing Bearer token, `model`, `stream` or `context_management` in
/// the body, and a body without `anthropic_version`.
#[derive(Debug, Parser)]
struct Arguments {
    /// After how many answered messages the plan says that its limit is reached [default: never]
    #[arg(long, value_name = "N")]
    plan_limit_after: Option<u64>,

    /// The port of the plan; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    plan_port: u16,

    /// The port of Bedrock; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    bedrock_port: u16,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let (plan, bedrock) = start(&arguments).await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "plan {}", plan.url())?;
    writeln!(stdout, "bedrock {}", bedrock.url())?;
    stdout.flush()?;
    std::future::pending().await
}

async fn start(arguments: &Arguments) -> anyhow::Result<(Upstream, Upstream)> {
    let plan = listen("plan", arguments.plan_port).await?;
    let limit = plan::Limit::after(arguments.plan_limit_after);
    plan.otherwise(move |request| reported("plan", request, plan::answer(request, &limit)));
    let bedrock = listen("bedrock", arguments.bedrock_port).await?;
    bedrock.otherwise(|request| reported("bedrock", request, bedrock::answer(request)));
    Ok((plan, bedrock))
}

async fn listen(who: &str, port: u16) -> anyhow::Result<Upstream> {
    let listening = Upstream::start_on(port).await;
    listening.with_context(|| format!("the {who} cannot listen on 127.0.0.1:{port}; choose another --{who}-port"))
}

/// Reports the request on stderr. The query and all headers stay out of it, and so do access keys that were sent here
/// instead of to the proxy.
fn reported(who: &str, request: &RecordedRequest, reply: Reply) -> Reply {
    let mask = |part| {
        if str::starts_with(part, "ak_") { "ak_..." } else { part }
    };
    let path: Vec<_> = request.path().split('/').map(mask).collect();
    let (method, path, status) = (&request.method, path.join("/"), reply.status());
    eprintln!("{who} {method} {path} {status}");
    reply
}

/// The pieces of a stream at the speed of someone who thinks.
fn paced(pieces: Vec<Bytes>) -> impl Stream<Item = Bytes> + Send + 'static {
    stream::iter(pieces).then(|piece| async {
        tokio::time::sleep(PACE).await;
        piece
    })
}
