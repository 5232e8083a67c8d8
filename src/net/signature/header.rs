//! Reads the Signature header: tolerant of how servers write it, strict on anything that stands twice (interop C12).

use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderName;

use super::{LENGTH_MAX, NAMES_MAX};

/// Base64 with or without its padding.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The content of a Signature header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parameters {
    /// Never empty; not checked yet.
    pub(super) key_id: String,
    pub(super) algorithm: Option<String>,
    /// Unix seconds.
    pub(super) created: Option<u64>,
    /// Unix seconds.
    pub(super) expires: Option<u64>,
    /// Names of the signed components, in order, lower case, each once, never empty: header names and the three in
    /// parentheses.
    pub(super) headers: Vec<String>,
    pub(super) signature: Vec<u8>,
}

impl Parameters {
    /// Whether the signature covers `name`.
    pub(super) fn signs(&self, name: &str) -> bool {
        self.headers.iter().any(|header| header == name)
    }

    /// Reads the value of a Signature header.
    pub(super) fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() > LENGTH_MAX {
            return Err(Malformed);
        }
        let pairs = pairs(text)?;
        let value = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
        let seconds = |name: &str| value(name).map(unix_seconds).transpose();
        let algorithm = value("algorithm");
        // Without a list, only this is signed (C13); it never suffices, but leads to the right reason.
        let alone =
            if algorithm.is_some_and(|name| name.eq_ignore_ascii_case("hs2019")) { "(created)" } else { "date" };
        let signature = BASE64.decode(value("signature").ok_or(Malformed)?).map_err(|_| Malformed)?;
        Ok(Self {
            key_id: value("keyId").filter(|id| !id.is_empty()).ok_or(Malformed)?.to_owned(),
            algorithm: algorithm.map(str::to_owned),
            created: seconds("created")?,
            expires: seconds("expires")?,
            headers: header_names(value("headers").unwrap_or(alone))?,
            signature,
        })
    }
}

/// Digits alone: the signed text is written from the number, so `+1` and `01` must not be other spellings of it.
fn unix_seconds(text: &str) -> Result<u64, Malformed> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().map_err(|_| Malformed) } else { Err(Malformed) }
}

fn header_names(list: &str) -> Result<Vec<String>, Malformed> {
    let mut names: Vec<String> = Vec::new();
    for name in list.split_ascii_whitespace() {
        let name = name.to_ascii_lowercase();
        let special = matches!(name.as_str(), "(request-target)" | "(created)" | "(expires)");
        if names.len() == NAMES_MAX
            || names.contains(&name)
            || !(special || HeaderName::from_bytes(name.as_bytes()).is_ok())
        {
            return Err(Malformed);
        }
        names.push(name);
    }
    if names.is_empty() { Err(Malformed) } else { Ok(names) }
}

/// Splits `name="value", name=value, …`; a repeated name is refused, whatever it means.
fn pairs(text: &str) -> Result<Vec<(&str, String)>, Malformed> {
    let mut rest = text.trim();
    if let Some((scheme, after)) = rest.split_at_checked("signature ".len())
        && scheme.eq_ignore_ascii_case("signature ")
    {
        rest = after.trim_start();
    }
    let mut pairs: Vec<(&str, String)> = Vec::new();
    loop {
        let (name, after) = rest.split_once('=').ok_or(Malformed)?;
        let name = name.trim();
        let token = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !token || pairs.iter().any(|(known, _)| *known == name) {
            return Err(Malformed);
        }
        let (value, after) = value(after.trim_start())?;
        pairs.push((name, value));
        let after = after.trim_start();
        if after.is_empty() {
            return Ok(pairs);
        }
        rest = after.strip_prefix(',').ok_or(Malformed)?.trim_start();
    }
}

/// Reads one value, quoted or bare, and returns what follows it.
fn value(text: &str) -> Result<(String, &str), Malformed> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, after) = text.split_at(text.find([',', ' ', '\t', '"']).unwrap_or(text.len()));
        return Ok((value.to_owned(), after));
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next().ok_or(Malformed)? {
            '"' => return Ok((value, chars.as_str())),
            '\\' => value.push(chars.next().ok_or(Malformed)?),
            char => value.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Parameters, Malformed> {
        Parameters::parse(text)
    }

    #[test]
    fn peers_writings_all_read_the_same_c12() {
        let plain = parse(r#"keyId="https://a.example/k",algorithm="hs2019",created="12",expires="34",headers="Host (created)",signature="AQI=""#)
            .expect("reads");
        assert_eq!(plain.headers, ["host", "(created)"]);
        assert_eq!((plain.created, plain.expires), (Some(12), Some(34)));
        assert_eq!(plain.signature, [1, 2]);
        for other in [
            r#"Signature keyId="https://a.example/k",algorithm="hs2019",created="12",expires="34",headers="Host (created)",signature="AQI=""#,
            r#"keyId="https://a.example/k", algorithm="hs2019" , created=12,  expires=34,headers="host  (created)", signature="AQI""#,
            r#"keyId = "https://a.example/k",algorithm=hs2019,created=12,expires=34,opaque="a,b=\"c",headers="HOST (Created)",signature="AQI=""#,
        ] {
            assert_eq!(parse(other).as_ref(), Ok(&plain), "{other}");
        }
        let comma = parse(r#"keyId="https://a.example/k,1",signature="AQI=""#).expect("a comma within quotes (H4)");
        assert_eq!(comma.key_id, "https://a.example/k,1");
    }

    #[test]
    fn without_a_list_date_or_created_is_signed_c13() {
        assert_eq!(parse(r#"keyId="k",signature="AQI=""#).expect("reads").headers, ["date"]);
        assert_eq!(parse(r#"keyId="k",algorithm="rsa-sha256",signature="AQI=""#).expect("reads").headers, ["date"]);
        assert_eq!(parse(r#"keyId="k",algorithm="hs2019",signature="AQI=""#).expect("reads").headers, ["(created)"]);
    }

    #[test]
    fn what_is_said_twice_or_badly_is_refused() {
        for text in [
            "",
            "Signature",
            ",",
            r#"keyId="k""#,
            r#"signature="AQI=""#,
            r#"keyId="",signature="AQI=""#,
            r#"keyId="k",keyId="l",signature="AQI=""#,
            r#"keyId="k",x=1,x=1,signature="AQI=""#,
            r#"keyId="k",signature="AQI=",signature="AQI=""#,
            r#"keyId="k",headers="host host",signature="AQI=""#,
            r#"keyId="k",headers="host Host",signature="AQI=""#,
            r#"keyId="k",headers="",signature="AQI=""#,
            r#"keyId="k",headers="(other)",signature="AQI=""#,
            r#"keyId="k",headers="a,b",signature="AQI=""#,
            r#"keyId="k",signature="AQI=","#,
            r#"keyId="k" signature="AQI=""#,
            r#"keyId="k",signature="AQI="#,
            r#"keyId="k",signature="%""#,
            r#"keyId="k",created=-1,signature="AQI=""#,
            r#"keyId="k",created=+1,signature="AQI=""#,
            r#"keyId="k",created=01,signature="AQI=""#,
            r#"keyId="k",created=,signature="AQI=""#,
            r#"keyId="k",created=99999999999999999999999,signature="AQI=""#,
            "sig1=:AQI=:",
        ] {
            assert_eq!(parse(text), Err(Malformed), "{text}");
        }
        let long = format!(r#"keyId="{}",signature="AQI=""#, "k".repeat(LENGTH_MAX));
        assert_eq!(parse(&long), Err(Malformed));
        let naming = |most: usize| {
            let names: Vec<String> = (0..most).map(|number| format!("x-{number}")).collect();
            parse(&format!(r#"keyId="k",headers="{}",signature="AQI=""#, names.join(" ")))
        };
        assert_eq!(naming(NAMES_MAX).map(|parameters| parameters.headers.len()), Ok(NAMES_MAX));
        assert_eq!(naming(NAMES_MAX + 1), Err(Malformed), "each is compared with all before it");
    }
}
