//! UUIDs: 32 hexadecimal digits of one case, as 8-4-4-4-12.

use super::hexadecimal::Case;
use super::pattern::AsBytes;

/// Bytes of a UUID's text.
const LENGTH: usize = 36;
/// Bytes of its value.
const WIDTH: usize = 16;

/// UUIDs of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::encoding) struct Uuid {
    pub(super) case: Case,
}

impl Uuid {
    /// How this text is written, if it is a UUID.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let text: &[u8; LENGTH] = text.try_into().ok()?;
        let case = Case::of(text.iter().copied().filter(|byte| *byte != b'-'))?;
        let form = Self { case };
        form.parse(text, &mut Vec::new()).map(|()| form)
    }
}

impl AsBytes for Uuid {
    fn parse(&self, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let text: &[u8; LENGTH] = text.try_into().ok()?;
        let (first, rest) = text.split_first_chunk::<8>()?;
        let (middle, last) = rest.split_first_chunk::<20>()?;
        let [b'-', a1, a2, a3, a4, b'-', b1, b2, b3, b4, b'-', c1, c2, c3, c4, b'-', d1, d2, d3, d4] = *middle else {
            return None;
        };
        let parse = |text| self.case.parse(text);
        let words = [
            parse(*first)?,
            parse([a1, a2, a3, a4, b1, b2, b3, b4])?,
            parse([c1, c2, c3, c4, d1, d2, d3, d4])?,
            parse(last.try_into().ok()?)?,
        ];
        out.extend_from_slice(words.as_flattened());
        Some(())
    }

    fn append(&self, value: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let ([first, second, third, last], []) = value.as_chunks::<4>() else { return None };
        let format = |bytes: &[u8; 4]| self.case.format(*bytes);
        let [a1, a2, a3, a4, b1, b2, b3, b4] = format(second);
        let [c1, c2, c3, c4, d1, d2, d3, d4] = format(third);
        let middle = [b'-', a1, a2, a3, a4, b'-', b1, b2, b3, b4, b'-', c1, c2, c3, c4, b'-', d1, d2, d3, d4];
        let mut text = [0; LENGTH];
        let (first_place, rest) = text.split_first_chunk_mut()?;
        let (middle_place, last_place) = rest.split_first_chunk_mut()?;
        *first_place = format(first);
        *middle_place = middle;
        last_place.copy_from_slice(&format(last));
        out.extend_from_slice(&text);
        Some(())
    }

    fn width(&self) -> usize {
        WIDTH
    }

    fn length(&self) -> usize {
        LENGTH
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn uuids_of_either_case_come_back() {
        for text in ["138ebbcd-1515-430e-bf58-b620c4052a8c", "138EBBCD-1515-430E-BF58-B620C4052A8C"] {
            let form = Uuid::of(text.as_bytes()).unwrap();
            let (mut value, mut out) = (Vec::new(), Vec::new());
            form.parse(text.as_bytes(), &mut value).unwrap();
            assert_eq!(value.len(), WIDTH);
            assert_eq!(value.first_chunk(), Some(&[0x13, 0x8e, 0xbb, 0xcd, 0x15]));
            form.append(&value, &mut out).unwrap();
            assert_eq!(out, text.as_bytes());
        }
    }

    #[test]
    fn what_is_written_otherwise_is_none() {
        for text in [
            "138ebbcd-1515-430e-bf58-b620c4052A8C",
            "138ebbcd-1515-430e-bf58-b620c4052a8",
            "138ebbcd-1515-430e-bf58-b620c4052a8c0",
            "138ebbcd-1515-430e-bf58_b620c4052a8c",
            "138ebbc-d1515-430e-bf58-b620c4052a8c",
            "138ebbcd-1515-430e-bf58-b620c4052a8g",
            "{38ebbcd-1515-430e-bf58-b620c4052a8}",
            "138ebbcd1515430ebf58b620c4052a8c",
            "",
        ] {
            assert_eq!(Uuid::of(text.as_bytes()), None, "{text}");
        }
    }
}
