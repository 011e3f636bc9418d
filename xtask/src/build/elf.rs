//! Looks at the head of a binary: whom it is for, and whether it starts without any other file.

use anyhow::{Context, Result, ensure};

use super::Target;

/// The program header that names a dynamic linker (`PT_INTERP`).
const INTERPRETER: u32 = 3;

/// Fails for a binary that an image of this target could not start: nothing is there but the binary.
pub(super) fn check(binary: &[u8], target: Target) -> Result<()> {
    ensure!(binary.starts_with(b"\x7fELF\x02\x01"), "it is no program for 64-bit Linux");
    let machine = u16::from_le_bytes(field(binary, 18)?);
    ensure!(machine == target.machine(), "it is for another processor (machine {machine}) than {}", target.name());
    let interpreted = headers(binary)?.contains(&INTERPRETER);
    ensure!(!interpreted, "it is not static: it wants shared libraries, which the image has none of");
    Ok(())
}

/// The kinds of all program headers.
fn headers(binary: &[u8]) -> Result<Vec<u32>> {
    let start = usize::try_from(u64::from_le_bytes(field(binary, 32)?)).context("the head is damaged")?;
    let [size, number] = [54, 56].map(|offset| field(binary, offset).map(u16::from_le_bytes));
    let (size, number) = (usize::from(size?), usize::from(number?));
    (0..number)
        .map(|index| {
            let offset = start.checked_add(index * size).context("the head is damaged")?;
            field(binary, offset).map(u32::from_le_bytes)
        })
        .collect()
}

fn field<const N: usize>(binary: &[u8], offset: usize) -> Result<[u8; N]> {
    let bytes = offset.checked_add(N).and_then(|end| binary.get(offset..end)).context("the head is cut off")?;
    bytes.try_into().context("the head is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A head with one program header.
    fn binary(machine: u16, header: u32) -> Vec<u8> {
        let mut binary = vec![0; 64 + 56];
        binary[..6].copy_from_slice(b"\x7fELF\x02\x01");
        binary[18..20].copy_from_slice(&machine.to_le_bytes());
        binary[32..40].copy_from_slice(&64_u64.to_le_bytes());
        binary[54..56].copy_from_slice(&56_u16.to_le_bytes());
        binary[56..58].copy_from_slice(&1_u16.to_le_bytes());
        binary[64..68].copy_from_slice(&header.to_le_bytes());
        binary
    }

    fn error(binary: &[u8]) -> String {
        check(binary, Target::X86_64).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn only_a_static_binary_of_the_target_passes() {
        assert_eq!(error(&binary(62, 1)), "");
        assert!(error(&binary(183, 1)).contains("another processor"));
        assert!(error(&binary(62, INTERPRETER)).contains("not static"));
        assert!(error(b"#!/bin/sh\n").contains("no program"));
    }

    #[test]
    fn a_damaged_head_is_an_error() {
        assert!(error(&binary(62, 1)[..60]).contains("cut off"));
        let mut far = binary(62, 1);
        far[32..40].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_ne!(error(&far), "");
    }

    /// The test itself needs shared libraries, where it was built in the usual way for Linux.
    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
    fn an_ordinary_binary_of_this_machine_is_refused() -> Result<()> {
        assert!(error(&std::fs::read(std::env::current_exe()?)?).contains("not static"));
        Ok(())
    }
}
