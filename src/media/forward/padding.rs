//! Equal sizes for packets that are sent together.
//!
//! The kernel splits one send into many datagrams only when all but the last are equally long.
//! Encoders cut a frame into packets that differ by a byte or two, so these get RTP padding
//! (RFC 3550, 5.1): a percent of bandwidth for a third of the sending cost.

/// The most that is added to a packet, in bytes.
const MAX_PADDING: usize = 48;

/// Padding for each of the payload sizes, so that neighbours which are nearly equal become equal.
/// The last of a run stays as it is when it is shorter: the kernel allows that.
pub(crate) fn equalize(sizes: &[usize], paddings: &mut Vec<u8>) {
    paddings.clear();
    let mut start = 0;
    while start < sizes.len() {
        let mut largest = sizes[start];
        let mut smallest = largest;
        let mut end = start + 1;
        while end < sizes.len() {
            let (low, high) = (smallest.min(sizes[end]), largest.max(sizes[end]));
            if high - low > MAX_PADDING {
                break;
            }
            (smallest, largest) = (low, high);
            end += 1;
        }
        let run = &sizes[start..end];
        let padded = if run.len() > 1 { run.len() - 1 } else { 0 };
        paddings.extend(run[..padded].iter().map(|size| (largest - size) as u8));
        paddings.extend(run[padded..].iter().map(|_| 0));
        start = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_neighbours_of_nearly_equal_size_are_padded() {
        let mut paddings = Vec::new();
        equalize(&[1100, 1101, 1099, 300, 1100, 20, 21], &mut paddings);
        assert_eq!(paddings, [1, 0, 0, 0, 0, 1, 0]);
        equalize(&[5], &mut paddings);
        assert_eq!(paddings, [0]);
        equalize(&[], &mut paddings);
        assert!(paddings.is_empty());
    }
}
