//! bit and varbit: texts of zeros and ones, and the bytes that hold them.

use super::{Checked, Wrong};

const NO_BITS: Wrong = Wrong("these are no bits");

/// Appends the binary form: how many bits, and bytes of them, the first the most significant.
pub(super) fn push_text(out: &mut Vec<u8>, text: &[u8]) -> Checked<()> {
    let count = i32::try_from(text.len()).map_err(|_| NO_BITS)?;
    if !text.iter().all(|byte| matches!(byte, b'0' | b'1')) {
        return Err(NO_BITS);
    }
    out.extend_from_slice(&count.to_be_bytes());
    out.extend(text.chunks(8).map(|bits| {
        // Bits behind the last are zero.
        bits.iter().chain(std::iter::repeat(&b'0')).take(8).fold(0, |byte, bit| byte << 1 | (bit & 1))
    }));
    Ok(())
}
