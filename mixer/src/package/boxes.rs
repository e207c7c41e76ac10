//! Writing boxes of the ISO base media file format (ISO/IEC 14496-12).

/// Writes a box whose content `body` writes.
///
/// # Panics
/// When the box has 4 GiB: what is packaged is bounded far below.
pub(super) fn put(out: &mut Vec<u8>, name: &[u8; 4], body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0; 4]);
    out.extend(name);
    body(out);
    let size = u32::try_from(out.len() - start).expect("boxes are small");
    out[start..start + 4].copy_from_slice(&size.to_be_bytes());
}

/// Writes a box that has a version and flags.
pub(super) fn put_full(
    out: &mut Vec<u8>,
    name: &[u8; 4],
    version: u8,
    flags: u32,
    body: impl FnOnce(&mut Vec<u8>),
) {
    put(out, name, |out| {
        u32(out, u32::from(version) << 24 | flags);
        body(out);
    });
}

/// Writes numbers of 32 bits.
pub(super) fn u32s(out: &mut Vec<u8>, numbers: &[u32]) {
    numbers.iter().for_each(|number| u32(out, *number));
}

/// Writes a number of 32 bits.
pub(super) fn u32(out: &mut Vec<u8>, number: u32) {
    out.extend(number.to_be_bytes());
}

/// Writes a number of 16 bits.
pub(super) fn u16(out: &mut Vec<u8>, number: u16) {
    out.extend(number.to_be_bytes());
}
