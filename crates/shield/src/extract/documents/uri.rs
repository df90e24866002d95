//! Addresses that hold what they lead to.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// As lenient as browsers are.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Whether it is a program.
pub(super) fn is_script(address: &str) -> bool {
    let address = address.trim_start();
    ["javascript:", "vbscript:"]
        .into_iter()
        .any(|it| starts_with(address, it))
}

/// Whether a value is more than a name or a number.
pub(super) fn is_worth_reading(value: &str) -> bool {
    const SHORT: usize = 24;
    value.len() >= SHORT || !value.is_ascii() || value.trim().contains(' ')
}

/// What a `data:` address holds.
pub(super) fn data(address: &str) -> Option<Vec<u8>> {
    let address = address.trim_start();
    if !starts_with(address, "data:") {
        return None;
    }
    let (head, data) = address.split_once(',')?;
    let data = percent_decoded(data.as_bytes());
    if head.trim_end().to_ascii_lowercase().ends_with(";base64") {
        return base64(&data);
    }
    Some(data)
}

/// Of as much as can be decoded, whatever stands between; behind an end it goes on.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    for part in text.split(|it| *it == b'=') {
        let is_digit = |it: &u8| it.is_ascii_alphanumeric() || matches!(it, b'+' | b'/');
        let digits = part.iter().copied().map(|it| match it {
            b'-' => b'+',
            b'_' => b'/',
            it => it,
        });
        let mut digits: Vec<u8> = digits.filter(is_digit).collect();
        // One digit alone is no byte.
        if digits.len() % 4 == 1 {
            digits.pop();
        }
        LENIENT.decode_vec(digits, &mut out).ok()?;
    }
    Some(out)
}

/// With `%41` as `A`.
pub(super) fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        rest = behind;
        let digit = |it: &u8| char::from(*it).to_digit(16);
        if let (b'%', [high, low, behind @ ..]) = (first, rest)
            && let (Some(high), Some(low)) = (digit(high), digit(low))
            && let Ok(byte) = u8::try_from(high * 16 + low)
        {
            out.push(byte);
            rest = behind;
        } else {
            out.push(*first);
        }
    }
    out
}

fn starts_with(text: &str, what: &str) -> bool {
    text.get(..what.len())
        .is_some_and(|it| it.eq_ignore_ascii_case(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_what_it_leads_to() {
        assert_eq!(data("data:,a%20b").unwrap(), b"a b");
        assert_eq!(data(" DATA:text/html;base64,aG ku").unwrap(), b"hi.");
        assert_eq!(data("data:text/plain"), None);
        assert_eq!(base64(b"aGk=\r\n=aG-k").unwrap(), b"hiho\xA4");
        assert_eq!(data("https://example.com/,"), None);
        assert!(is_script(" JavaScript:alert(1)") && !is_script("é"));
        assert_eq!(percent_decoded(b"%4%zz%41%"), b"%4%zzA%");
    }
}
