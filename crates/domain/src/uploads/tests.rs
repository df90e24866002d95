//! Parts that make up a file, and parts that do not.

use super::*;

const UPLOAD: Upload = Upload::in_parts(UploadId::from_bytes([1; 16]), 10);

fn stored(bytes: u64) -> Vec<StoredPart> {
    let parts = (1..).map_while(|number| {
        let bytes = UPLOAD.part_len(bytes, number)?;
        let tag = PartTag::new([u8::try_from(number).unwrap(); 16]);
        Some(StoredPart::from(Part { number, tag, bytes }))
    });
    parts.collect()
}

fn of(named: &[(u32, u8)], stored: &[StoredPart]) -> Result<(), UploadError> {
    let tags: Vec<_> = named
        .iter()
        .map(|it| PartTag::new([it.1; 16]).to_string())
        .collect();
    let named: Vec<_> = named
        .iter()
        .zip(&tags)
        .map(|(it, etag)| NamedPart { number: it.0, etag })
        .collect();
    require_parts(&UPLOAD, 25, &named, stored)
}

#[test]
fn a_file_has_as_many_parts_as_it_takes() {
    let count = |bytes| UPLOAD.part_count(bytes);
    assert_eq!([0, 1, 10, 11, 25].map(count), [0, 1, 1, 2, 3]);
    let lengths = |number| UPLOAD.part_len(25, number);
    assert_eq!(
        [0, 1, 2, 3, 4, u32::MAX].map(lengths),
        [None, Some(10), Some(10), Some(5), None, None]
    );
    assert_eq!(UPLOAD.part_len(0, 1), None);
    let whole = Upload::whole(7);
    assert_eq!(
        [0, 1, 2].map(|it| whole.part_len(7, it)),
        [None, Some(7), None]
    );
    assert_eq!(Upload::whole(0).part_len(0, 1), Some(0));
}

#[test]
fn which_parts_have_which_bytes() {
    for (start, end, parts) in [
        (0, 1, 1..=1),
        (0, 25, 1..=3),
        (9, 10, 1..=1),
        (9, 11, 1..=2),
        (20, 25, 3..=3),
    ] {
        assert_eq!(UPLOAD.parts_with(start, end), parts);
    }
    assert_eq!(Upload::whole(0).parts_with(0, 0), 1..=1);
}

#[test]
fn only_all_parts_in_their_order_make_up_a_file() {
    let stored = stored(25);
    assert_eq!(of(&[(1, 1), (2, 2), (3, 3)], &stored), Ok(()));
    for (named, error) in [
        (&[(2, 2), (1, 1), (3, 3)][..], UploadError::InvalidPartOrder),
        (
            &[(1, 1), (1, 1), (2, 2), (3, 3)],
            UploadError::DuplicatePart(1),
        ),
        (
            &[(1, 1), (2, 2), (1, 1), (3, 3)],
            UploadError::DuplicatePart(1),
        ),
        (&[(1, 1), (2, 9), (3, 3)], UploadError::InvalidPart(2)),
        (
            &[(1, 1), (2, 2), (3, 3), (4, 4)],
            UploadError::InvalidPart(4),
        ),
        (
            &[(0, 0), (1, 1), (2, 2), (3, 3)],
            UploadError::InvalidPart(0),
        ),
        (&[(1, 1), (3, 3)], UploadError::PartsMissing(2)),
        (&[], UploadError::PartsMissing(1)),
    ] {
        assert_eq!(of(named, &stored), Err(error), "{named:?}");
    }
    let all = [(1, 1), (2, 2), (3, 3)];
    assert_eq!(of(&all, &stored[..2]), Err(UploadError::InvalidPart(3)));
    let mut short = stored;
    short[1].bytes = 9;
    let (announced, came) = (10, 9);
    assert_eq!(
        of(&all, &short),
        Err(UploadError::SizeMismatch { announced, came })
    );
}
