//! Passwords, both halves of the exchange
//! ([manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods.html)).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
    PublicEncryptingKey,
};
use base64::Engine;
use dbtrail_types::secret::Credential;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;
use std::sync::OnceLock;
use zeroize::Zeroizing;

/// The plugin of MySQL 5.
pub const NATIVE: &str = "mysql_native_password";
/// The plugin of MySQL 8 and newer.
pub const CACHING_SHA2: &str = "caching_sha2_password";

/// Bytes of AuthMoreData, and of its answer, in the exchange of caching_sha2_password
/// ([manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html)).
pub mod caching_sha2 {
    /// The server knows the password: OK follows.
    pub const FAST_AUTH_SUCCESS: u8 = 3;
    /// The server wants the password itself.
    pub const PERFORM_FULL_AUTHENTICATION: u8 = 4;
    /// The client wants the server's public RSA key.
    pub const REQUEST_PUBLIC_KEY: u8 = 2;
}

/// Twenty random bytes, fresh for each exchange: printable, without `$`, which separates fields in
/// stored hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scramble(pub [u8; 20]);

/// There were no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct NoRandom;

impl Scramble {
    /// A fresh one.
    ///
    /// # Errors
    /// The system's generator failed.
    pub fn new() -> Result<Self, NoRandom> {
        let mut bytes = [0; 20];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoRandom)?;
        // 0x21 to 0x7e are 94 characters; without `$` 93.
        let printable = |b: u8| match 0x21 + b % 93 {
            b'$'.. if 0x21 + b % 93 >= b'$' => 0x22 + b % 93,
            other => other,
        };
        Ok(Self(bytes.map(printable)))
    }
}

fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut out = [0; 20];
    out.copy_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, &parts.concat()).as_ref());
    out
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, &parts.concat()).as_ref());
    out
}

fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

fn equal(a: &[u8], b: &[u8]) -> bool {
    verify_slices_are_equal(a, b).is_ok()
}

/// SHA1(SHA1(password)): what `mysql.user` and ProxySQL keep for mysql_native_password.
#[must_use]
pub fn native_hash(credential: &Credential) -> [u8; 20] {
    match credential {
        Credential::Password(password) => sha1(&[&sha1(&[password.expose().as_bytes()])]),
        Credential::NativeHash(hash) => *hash,
    }
}

/// SHA1(password) XOR SHA1(scramble + SHA1(SHA1(password))).
#[must_use]
pub fn native(response: &[u8], scramble: &Scramble, credential: &Credential) -> bool {
    let hash = native_hash(credential);
    let first = xor(response, &sha1(&[&scramble.0, &hash]));
    response.len() == 20 && equal(&sha1(&[&first]), &hash)
}

/// What a caching_sha2_password response proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fast {
    /// The right password.
    Right,
    /// A wrong one.
    Wrong,
    /// Nothing: only the native hash is known, so the password itself must be sent.
    Unknown,
}

/// SHA256(password) XOR SHA256(SHA256(SHA256(password)) + scramble).
#[must_use]
pub fn fast(response: &[u8], scramble: &Scramble, credential: &Credential) -> Fast {
    let Credential::Password(password) = credential else { return Fast::Unknown };
    let once = sha256(&[password.expose().as_bytes()]);
    let twice = sha256(&[&once]);
    let wanted = xor(&once, &sha256(&[&twice, &scramble.0]));
    if equal(response, &wanted) { Fast::Right } else { Fast::Wrong }
}

/// The password in clear text.
#[must_use]
pub fn clear(password: &[u8], credential: &Credential) -> bool {
    equal(&sha1(&[&sha1(&[password])]), &native_hash(credential))
}

/// The RSA key of this process, for passwords sent without TLS.
fn key() -> Option<&'static (OaepPrivateDecryptingKey, Vec<u8>)> {
    static KEY: OnceLock<Option<(OaepPrivateDecryptingKey, Vec<u8>)>> = OnceLock::new();
    KEY.get_or_init(|| {
        let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).ok()?;
        let public: PublicKeyX509Der<'_> = key.public_key().as_der().ok()?;
        let public = public.as_ref().to_vec();
        Some((OaepPrivateDecryptingKey::new(key).ok()?, public))
    })
    .as_ref()
}

/// The public key as PEM.
#[must_use]
pub fn public_key() -> Option<String> {
    let (_, der) = key()?;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem.push_str("-----END PUBLIC KEY-----\n");
    Some(pem)
}

/// The password that was encrypted with the public key, XORed with the scramble before.
#[must_use]
pub fn decrypt(cipher: &[u8], scramble: &Scramble) -> Option<Vec<u8>> {
    let (key, _) = key()?;
    let mut out = vec![0; key.min_output_size()];
    let plain = key.decrypt(&OAEP_SHA1_MGF1SHA1, cipher, &mut out, None).ok()?;
    let mut password = masked(plain, &scramble.0);
    if password.pop() != Some(0) {
        return None;
    }
    Some(std::mem::take(&mut *password))
}

/// The password with its ending zero, XORed with the scramble and encrypted with the server's key
/// in PEM; `None`: that is no RSA key.
#[must_use]
pub fn encrypt(public_key: &[u8], password_and_zero: &[u8], scramble: &[u8]) -> Option<Vec<u8>> {
    let der = SubjectPublicKeyInfoDer::from_pem_slice(public_key).ok()?;
    let key = PublicEncryptingKey::from_der(der.as_ref()).ok()?;
    let key = OaepPublicEncryptingKey::new(key).ok()?;
    let mut cipher = vec![0; key.ciphertext_size()];
    let plain = masked(password_and_zero, scramble);
    let length = key.encrypt(&OAEP_SHA1_MGF1SHA1, &plain, &mut cipher, None).ok()?.len();
    cipher.truncate(length);
    Some(cipher)
}

/// XOR with a mask that is repeated.
fn masked(bytes: &[u8], mask: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(bytes.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbtrail_types::secret::Secret;

    #[test]
    fn ok_scrambles_are_printable_and_fresh() {
        let (a, b) = (Scramble::new().unwrap(), Scramble::new().unwrap());
        assert_ne!(a, b);
        assert!(a.0.iter().chain(&b.0).all(|c| (0x21..=0x7e).contains(c) && *c != b'$'));
    }

    /// Responses computed by mysql_common's client half.
    #[test]
    fn ok_passwords_both_ways() {
        use mysql_common::scramble::{scramble_native, scramble_sha256};
        let credential = Credential::Password(Secret::new("secret".to_owned()));
        let hash = Credential::NativeHash(native_hash(&credential));
        for _ in 0..1000 {
            let scramble = Scramble::new().unwrap();
            let answer = scramble_native(&scramble.0, b"secret").unwrap();
            assert!(native(&answer, &scramble, &credential) && native(&answer, &scramble, &hash));
            let wrong = scramble_native(&scramble.0, b"Secret").unwrap();
            assert!(!native(&wrong, &scramble, &credential) && !native(&[], &scramble, &credential));
            let answer = scramble_sha256(&scramble.0, b"secret").unwrap();
            assert_eq!(fast(&answer, &scramble, &credential), Fast::Right);
            assert_eq!(fast(&answer[1..], &scramble, &credential), Fast::Wrong);
            assert_eq!(fast(&answer, &scramble, &hash), Fast::Unknown);
        }
        assert!(clear(b"secret", &hash) && !clear(b"", &hash));
    }

    #[test]
    fn ok_a_password_under_rsa() {
        let scramble = Scramble::new().unwrap();
        let pem = public_key().unwrap();
        let cipher = encrypt(pem.as_bytes(), b"a longer one than the scramble is\0", &scramble.0).unwrap();
        assert_eq!(decrypt(&cipher, &scramble).as_deref(), Some(&b"a longer one than the scramble is"[..]));
        assert_eq!(encrypt(b"no key", b"secret\0", &scramble.0), None);
    }
}
