//! A short name for something longer, that is the same in every release.

/// FNV-1a in eight hex digits; the standard library's hasher may change with the compiler, and this must not.
pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    format!("{hash:08x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_changes() {
        assert_eq!(fingerprint(b"foobar"), "bf9cf968");
        assert_ne!(fingerprint(b"/a"), fingerprint(b"/b"));
    }
}
