//! Keeps recorded pairs as files, to be looked at.

use std::path::Path;

use serde_json::{Value, json};
use support::RecordedRequest;

use crate::cases::Case;
use crate::record::Pair;

/// Writes `CASE-N-own.json`, `-asked.json` and `-bridged.json` for each request of a case.
pub(crate) fn keep(folder: &Path, case: Case, pair: &Pair) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (side, requests) in [("own", &pair.own), ("asked", &pair.asked), ("bridged", &pair.bridged)] {
        for (index, request) in requests.iter().enumerate() {
            let path = folder.join(format!("{}-{}-{side}.json", case.name, index + 1));
            std::fs::write(path, format!("{:#}\n", written(request)))?;
        }
    }
    Ok(())
}

fn written(request: &RecordedRequest) -> Value {
    // The keys of both runs are in these.
    let secret = |name: &str| ["authorization", "x-api-key"].contains(&name);
    let headers = request.headers.iter().filter(|(name, _)| !secret(name));
    let headers: Vec<_> = headers.map(|(name, value)| json!([name, value])).collect();
    let target = request.target.split('/').map(|part| if part.starts_with("ak_") { "ak_..." } else { part });
    json!({
        "method": request.method,
        "target": target.collect::<Vec<_>>().join("/"),
        "headers": headers,
        "body": request.json(),
    })
}
