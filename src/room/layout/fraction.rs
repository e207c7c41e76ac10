//! Shares of a picture's width or height, kept as they were written.

use std::{fmt, str::FromStr};

/// Decimal places of a share that is written as a decimal.
const MAX_DECIMALS: usize = 6;

/// A share from 0 to 1. It is not reduced, since clients see it as it was made: `2/4` is equal to
/// `1/2` on the screen, not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fraction {
    numerator: u32,
    denominator: u32,
}

impl Fraction {
    /// `numerator / denominator`; nothing if that is no share of a whole.
    pub const fn new(numerator: u32, denominator: u32) -> Option<Self> {
        if numerator > denominator || denominator == 0 {
            return None;
        }
        Some(Self { numerator, denominator })
    }

    /// Above the line.
    pub const fn numerator(self) -> u32 {
        self.numerator
    }

    /// Below the line; never 0.
    pub const fn denominator(self) -> u32 {
        self.denominator
    }

    /// The share of a number of pixels, rounded down.
    pub fn of(self, whole: u32) -> u32 {
        let share = u64::from(whole) * u64::from(self.numerator) / u64::from(self.denominator);
        u32::try_from(share).expect("a share is not more than the whole")
    }
}

/// A text that is no share: not `0`, `1`, `n/d` or a decimal, or not from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a share is 0, 1, n/d or a decimal with up to {MAX_DECIMALS} places, from 0 to 1")]
pub struct InvalidFraction;

impl FromStr for Fraction {
    type Err = InvalidFraction;

    fn from_str(text: &str) -> Result<Self, InvalidFraction> {
        let fraction = if let Some((numerator, denominator)) = text.split_once('/') {
            number(numerator).zip(number(denominator))
        } else if let Some((whole, decimals)) = text.split_once('.') {
            decimal(whole, decimals)
        } else {
            number(text).map(|whole| (whole, 1))
        };
        let fraction = fraction.and_then(|(above, below)| Self::new(above, below));
        fraction.ok_or(InvalidFraction)
    }
}

fn decimal(whole: &str, decimals: &str) -> Option<(u32, u32)> {
    let places = u32::try_from(decimals.len()).ok().filter(|_| decimals.len() <= MAX_DECIMALS)?;
    let denominator = 10_u32.pow(places);
    let above = number(whole)?.checked_mul(denominator)?.checked_add(number(decimals)?)?;
    Some((above, denominator))
}

fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_and_written_with_their_denominator() {
        for (text, written) in [
            ("0", "0/1"),
            ("1", "1/1"),
            ("2/4", "2/4"),
            ("0/4", "0/4"),
            ("0.25", "25/100"),
            ("1.0", "10/10"),
            ("0.333333", "333333/1000000"),
        ] {
            let share: Fraction = text.parse().expect(text);
            assert_eq!(share.to_string(), written);
        }
    }

    #[test]
    fn what_is_no_share_of_a_whole_is_refused() {
        for text in [
            "",
            "/",
            "1/",
            "/1",
            "0/0",
            "1/0",
            "2/1",
            "2",
            "-1",
            "-1/2",
            "+1/2",
            "1/-2",
            "1.1",
            ".",
            ".5",
            "0.",
            "0.3333333",
            "1e-1",
            "1/2/3",
            " 1",
            "½",
            "NaN",
            "99999999999/99999999999",
        ] {
            assert_eq!(text.parse::<Fraction>(), Err(InvalidFraction), "{text:?}");
        }
    }

    #[test]
    fn a_share_of_pixels_is_rounded_down() {
        let third = Fraction::new(1, 3).expect("a share");
        assert_eq!(third.of(640), 213);
        assert_eq!(Fraction::new(u32::MAX, u32::MAX).map(|all| all.of(u32::MAX)), Some(u32::MAX));
    }
}
