use agentdrop_protocol::text::{Email, Message, Name, is_unprintable, printable};
use agentdrop_protocol::{
    AgentRef, EncryptionPublicKey, FileName, Lifetime, Slug, Timestamp, TransferId,
};
use proptest::prelude::*;

/// What is read is written as it was, or is written in a way that is read as the same.
fn survives<T>(text: &str) -> Result<(), TestCaseError>
where
    T: std::str::FromStr<Err: std::fmt::Debug> + std::fmt::Display + PartialEq + std::fmt::Debug,
{
    if let Ok(value) = text.parse::<T>() {
        prop_assert_eq!(value.to_string().parse::<T>().unwrap(), value);
    }
    Ok(())
}

proptest! {
    #[test]
    fn whatever_is_read_is_read_back(text in any::<String>(), slug in "[A-Za-z0-9._-]{0,70}", life in "[0-9]{1,6}[mhd]") {
        survives::<FileName>(&text)?;
        survives::<Name>(&text)?;
        survives::<Message>(&text)?;
        survives::<Email>(&text)?;
        survives::<Slug>(&slug)?;
        survives::<AgentRef>(&slug)?;
        survives::<Lifetime>(&life)?;
    }

    #[test]
    fn keys_and_ids_are_read_back(key in any::<[u8; 32]>(), millis in 0..4_000_000_000_000_i64, chance in any::<[u8; 10]>()) {
        if let Ok(key) = EncryptionPublicKey::try_from(key) {
            prop_assert_eq!(key.to_string().parse::<EncryptionPublicKey>().unwrap(), key);
            prop_assert_eq!(key.to_spki().parse::<EncryptionPublicKey>().unwrap(), key);
        }
        let id = TransferId::new(Timestamp::from_millis(millis), chance);
        prop_assert_eq!(id.to_string().parse::<TransferId>().unwrap(), id);
        let time = Timestamp::from_millis(millis);
        prop_assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
    }

    #[test]
    fn a_cleaned_name_stays_in_its_folder(text in "[./\\\\a-zA-Z0-9: \u{0}\u{1b}\u{202e}é]{0,300}", n in 1..1_000_u32) {
        for name in [FileName::cleaned(&text), FileName::cleaned(&text).numbered(n)] {
            let path = std::path::Path::new(name.as_str());
            let parts: Vec<_> = path.components().collect();
            prop_assert!(matches!(parts[..], [std::path::Component::Normal(_)]), "{:?}", name);
            prop_assert!(name.as_str().len() <= 255);
            prop_assert!(!name.as_str().chars().any(is_unprintable));
            prop_assert!(!name.as_str().contains(['/', '\\', '\0']));
        }
    }

    #[test]
    fn nothing_printable_acts_on_a_terminal(text in any::<String>()) {
        prop_assert!(!printable(&text).chars().any(is_unprintable));
    }
}
