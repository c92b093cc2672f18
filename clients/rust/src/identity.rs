//! Who the client is: its key, checked once.

use tonic::metadata::{Ascii, MetadataValue};

use crate::error::ConnectError;

/// The value of `authorization`. It is marked as a secret, so that neither logs nor header compression keep it.
pub(crate) fn bearer(key: &str) -> Result<MetadataValue<Ascii>, ConnectError> {
    let is_visible = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_visible {
        return Err(ConnectError::Key);
    }
    let mut value: MetadataValue<Ascii> = format!("Bearer {key}").parse().map_err(|_| ConnectError::Key)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn a_key_that_metadata_cannot_carry_is_refused_and_not_repeated() {
        for key in ["", "sap_secret\n", "sap secret", "sap_s\u{e9}cret"] {
            let error = bearer(key).expect_err("a key that cannot be sent");
            assert!(!error.to_string().contains("sap"), "{error}");
            assert!(!format!("{error:?}").contains("sap"), "{error:?}");
        }
    }

    #[test]
    fn a_good_key_is_marked_as_a_secret() {
        let value = bearer("sap_0123_abc").expect("a good key");
        assert_eq!(value.to_str().ok(), Some("Bearer sap_0123_abc"));
        assert!(!format!("{value:?}").contains("sap"));
    }
}
