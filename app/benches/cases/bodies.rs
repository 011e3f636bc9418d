//! What is done with the body of a request.

use claude_code_proxy::upstream::bedrock::bridge::{Rules, bridge};
use claude_code_proxy::wire::{request_head, turn};

use super::conversation::{Turns, body};
use super::{Case, Prepared, requests};

const KB: usize = 1 << 10;
const MB: usize = 1 << 20;
/// The model of today, to which most passes as it is.
const MODEL: &str = "global.anthropic.claude-opus-5-5";
/// One that gets another kind of thinking, another effort and no messages of the system.
const OLDER_MODEL: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

pub(super) const CASES: &[Case] = &[
    Case { name: "bridge-10-kb", prepare: || bridged(10 * KB, Turns::Session, MODEL) },
    Case { name: "bridge-100-kb", prepare: || bridged(100 * KB, Turns::Session, MODEL) },
    Case { name: "bridge-1-mb", prepare: || bridged(MB, Turns::Session, MODEL) },
    Case { name: "bridge-1-mb-for-an-older-model", prepare: || bridged(MB, Turns::Session, OLDER_MODEL) },
    Case { name: "bridge-1-mb-of-small-blocks", prepare: || bridged(MB, Turns::SmallBlocks, MODEL) },
    Case { name: "bridge-1-mb-of-images", prepare: || bridged(MB, Turns::Images, MODEL) },
    Case { name: "bridge-1-mb-of-numbers", prepare: || bridged(MB, Turns::Numbers, MODEL) },
    Case { name: "read-head-10-kb", prepare: || head(10 * KB) },
    Case { name: "read-head-100-kb", prepare: || head(100 * KB) },
    Case { name: "read-head-1-mb", prepare: || head(MB) },
    // Asked of a conversation that stays on Bedrock, and of one that changes its provider.
    Case {
        name: "find-turn-100-kb",
        prepare: || Prepared::of_bytes(body(100 * KB, Turns::Session), turn::is_at_boundary),
    },
];

fn bridged(size: usize, turns: Turns, model: &'static str) -> Prepared {
    let headers = requests::headers();
    Prepared::of_bytes(body(size, turns), move |body| bridge(body, &headers, Rules::of(model)))
}

fn head(size: usize) -> Prepared {
    Prepared::of_bytes(body(size, Turns::Session), request_head::read)
}
