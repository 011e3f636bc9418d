//! Settings of the journal, in which usage waits for the database.

use std::path::PathBuf;

use super::env::Environment;
use super::variables as var;

/// A smaller journal would hold less than a busy second.
const SMALLEST: usize = 64 << 10;

/// Where usage that the database does not have yet is kept.
#[derive(Clone, Debug)]
pub struct JournalConfig {
    /// `USAGE_JOURNAL_DIR`; `None`: no journal
    pub folder: Option<PathBuf>,
    /// `USAGE_JOURNAL_MAX_SIZE`, bytes
    pub max_size: u64,
}

impl JournalConfig {
    /// Reads both. Whether the folder can be written is found out when the journal is opened.
    pub(super) fn read(env: &mut Environment<'_>) -> Option<Self> {
        let folder = env.parse(&var::USAGE_JOURNAL_DIR, |text| Ok::<_, String>(PathBuf::from(text)));
        let max_size = env.size(&var::USAGE_JOURNAL_MAX_SIZE)?;
        if max_size < SMALLEST {
            let shown = bytesize::ByteSize::b(max_size as u64).display().iec().to_string();
            env.problem(&var::USAGE_JOURNAL_MAX_SIZE, Some(&shown), "must be at least 64KiB");
        }
        Some(Self { folder, max_size: max_size as u64 })
    }
}
